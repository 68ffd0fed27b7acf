/* image_arch.h - what the ELF loader must know of x86_64 (psABI 4.4). */
#ifndef IMAGE_ARCH_H
#define IMAGE_ARCH_H

#include <elf.h>

#define IMAGE_ARCH_MACHINE EM_X86_64
#define IMAGE_ARCH_RELOCATION_NONE R_X86_64_NONE
#define IMAGE_ARCH_RELOCATION_RELATIVE R_X86_64_RELATIVE

#endif
