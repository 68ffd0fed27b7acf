/* image_arch.h - what the ELF loader must know of arm64 (AAELF64 5.7). */
#ifndef IMAGE_ARCH_H
#define IMAGE_ARCH_H

#include <elf.h>

#define IMAGE_ARCH_MACHINE EM_AARCH64
#define IMAGE_ARCH_RELOCATION_NONE R_AARCH64_NONE
#define IMAGE_ARCH_RELOCATION_RELATIVE R_AARCH64_RELATIVE

#endif
