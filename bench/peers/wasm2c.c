/*
 * wasm2c.c - an instance of echo.wat for each request: made, called once and freed.
 *
 *	wasm2c SECONDS
 *
 * wabt's wasm2c has compiled echo.wat to C, and so to this machine's instructions. The
 * instance's memory is mapped when it is made, and unmapped when it is freed.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "bench/peers/samples.h"
#include "echo.h" /* wasm2c's; run.sh says where */

#ifdef WASM2C_1_0_32 /* since then, the names are others */
#define w2c_echo Z_echo_instance_t
#define w2c_echo_memory Z_echoZ_memory
#define w2c_echo_handle Z_echoZ_handle
#define wasm2c_echo_instantiate Z_echo_instantiate

/* What it reserves for a memory. Its own function gives back only the part in use. */
#define RESERVED_SIZE (UINT64_C(8) << 30)

static void wasm2c_echo_free(w2c_echo *instance)
{
	munmap(w2c_echo_memory(instance)->data, RESERVED_SIZE);
}
#endif

static const char request[SAMPLES_REQUEST_SIZE] = "request";

static int wasm2c_once(void)
{
	char reply[SAMPLES_REQUEST_SIZE];
	const wasm_rt_memory_t *memory;
	w2c_echo instance;

	wasm2c_echo_instantiate(&instance);
	memory = w2c_echo_memory(&instance);
	memcpy(memory->data, request, sizeof(request));
	memcpy(reply,
	       memory->data + w2c_echo_handle(&instance, sizeof(request)),
	       sizeof(reply));
	wasm2c_echo_free(&instance);
	if (!memcmp(reply, request, sizeof(reply)))
		return 0;
	fprintf(stderr, "wasm2c: the reply is not the request\n");
	return -1;
}

static int wasm2c_open(char **arguments)
{
	(void)arguments;
	wasm_rt_init();
#ifdef WASM2C_1_0_32
	Z_echo_init_module();
#endif
	return 0;
}

const struct samples_peer samples_peer = {
	.usage = "",
	.open = wasm2c_open,
	.once = wasm2c_once,
	.close = wasm_rt_free,
};
