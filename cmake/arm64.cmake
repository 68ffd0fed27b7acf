# Cross-building for arm64 Linux: Debian's cross compiler, the libraries that
# third_party/sysroot_arm64.sh unpacked, everything linked statically so that
# the emulator needs none of them at run time.

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)

set(CMAKE_SYSROOT ${CMAKE_CURRENT_LIST_DIR}/../build/third_party/sysroot-arm64)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)

set(ENV{PKG_CONFIG_SYSROOT_DIR} ${CMAKE_SYSROOT})
set(ENV{PKG_CONFIG_LIBDIR} ${CMAKE_SYSROOT}/usr/lib/aarch64-linux-gnu/pkgconfig)
set(PKG_CONFIG_ARGN --static)

find_program(THAW_QEMU_AARCH64 NAMES qemu-aarch64-static qemu-aarch64)
if(THAW_QEMU_AARCH64)
	set(CMAKE_CROSSCOMPILING_EMULATOR ${THAW_QEMU_AARCH64})
endif()
