/* image.S - the vDSO, as bytes in the host. See guest/abi/thaw_stubs.h. */
	.section .rodata.vdso, "a"
	.balign	16
	.globl	thaw_vdso_start
thaw_vdso_start:
	.incbin	THAW_VDSO
	.globl	thaw_vdso_end
thaw_vdso_end:

	.section .note.GNU-stack, "", %progbits
