/* code_arch.h (arm64) - the code of a function that returns a small number. */
#ifndef CODE_ARCH_H
#define CODE_ARCH_H

#include <stdint.h>

/* mov w0, value; ret */
typedef uint32_t code_bytes[2];
#define CODE_BYTES(value)                               \
	{                                               \
		0x52800000u | (value) << 5, 0xd65f03c0u \
	}

#endif
