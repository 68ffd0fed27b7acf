/* code_arch.h (x86_64) - the code of a function that returns a small number. */
#ifndef CODE_ARCH_H
#define CODE_ARCH_H

#include <stdint.h>

/* mov eax, value; ret */
typedef uint8_t code_bytes[6];
#define CODE_BYTES(value)                             \
	{                                             \
		0xb8, (uint8_t)(value), 0, 0, 0, 0xc3 \
	}

#endif
