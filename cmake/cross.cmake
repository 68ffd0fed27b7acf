# Cross-building for Linux on another architecture: Debian's cross compiler, the
# libraries that third_party/sysroot.sh unpacked, everything linked statically so
# that an emulator needs none of them at run time. For arm64.cmake and x86_64.cmake,
# which say what for:
#
#	THAW_CROSS_ARCH		as thaw calls it
#	CMAKE_SYSTEM_PROCESSOR	as Linux does
#	THAW_CROSS_TRIPLET	as Debian's compilers do

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_C_COMPILER ${THAW_CROSS_TRIPLET}-gcc)
set(CMAKE_CXX_COMPILER ${THAW_CROSS_TRIPLET}-g++)

set(CMAKE_SYSROOT
	${CMAKE_CURRENT_LIST_DIR}/../build/third_party/sysroot-${THAW_CROSS_ARCH})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)

set(ENV{PKG_CONFIG_SYSROOT_DIR} ${CMAKE_SYSROOT})
set(ENV{PKG_CONFIG_LIBDIR}
	${CMAKE_SYSROOT}/usr/lib/${THAW_CROSS_TRIPLET}/pkgconfig)
set(PKG_CONFIG_ARGN --static)

find_program(THAW_QEMU NAMES qemu-${CMAKE_SYSTEM_PROCESSOR}-static
	qemu-${CMAKE_SYSTEM_PROCESSOR})
if(THAW_QEMU)
	set(CMAKE_CROSSCOMPILING_EMULATOR ${THAW_QEMU})
endif()
