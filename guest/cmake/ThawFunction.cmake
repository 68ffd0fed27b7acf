# ThawFunction.cmake - builds functions for thaw.
#
#	find_package(thaw-sdk REQUIRED)
#	thaw_add_function(NAME hello SOURCES hello.c)
#
# makes hello.elf from C, C++ or assembly sources with the compilers of the
# project, which are gcc's or clang's. C++ is C++17 or later, without exceptions,
# with libstdc++. A target of that name exists, so target_compile_definitions()
# and the like work on it.
#
#	thaw_add_function(NAME name SOURCES file... [OUTPUT dir] [PIE] [HYPERLIGHT])
#
# OUTPUT is the directory of NAME.elf (default: the current binary directory).
# PIE links a static position independent executable instead of one with a
# fixed address. GNU ld and lld link both, gold the latter. HYPERLIGHT makes a
# Hyperlight guest, which includes <hyperlight_guest.h>; see docs/hyperlight.md.
#
# Uses THAW_SDK_INCLUDES, THAW_SDK_CXX, THAW_SDK_LIBRARY, THAW_SDK_SCRIPT,
# THAW_SDK_LIBC, THAW_SDK_HYPERLIGHT and, if its header is elsewhere,
# THAW_SDK_HYPERLIGHT_INCLUDES, which the package (or thaw's own build) sets.

# The headers of the target's sources in some languages: picolibc's and the
# compiler's own, nothing of the host's. C++ has libstdc++'s before them, and before
# those the files that make up for their being made for glibc.
function(thaw_guest_includes target compiler languages)
	execute_process(
		COMMAND ${compiler} -print-file-name=include
		OUTPUT_VARIABLE compiler_include
		OUTPUT_STRIP_TRAILING_WHITESPACE)
	# as options, since CMake leaves out what the compiler searches anyway
	foreach(directory ${ARGN} ${THAW_SDK_INCLUDES} ${compiler_include})
		target_compile_options(${target} PRIVATE
			"$<$<COMPILE_LANGUAGE:${languages}>:SHELL:-isystem ${directory}>")
	endforeach()
endfunction()

function(thaw_guest_cxx_options target)
	set(standard ${CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES})
	list(FILTER standard INCLUDE REGEX "/c\\+\\+(/|$)")
	thaw_guest_includes(${target} ${CMAKE_CXX_COMPILER} CXX
		${THAW_SDK_CXX} ${standard})
	target_compile_features(${target} PRIVATE cxx_std_17)
	target_compile_options(${target} PRIVATE
		"$<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions;-fno-threadsafe-statics>")
endfunction()

# Flags for code that runs in a guest; no features that need a run-time of theirs.
# Frame pointers are what a backtrace follows.
function(thaw_guest_options target)
	get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
	if(C IN_LIST languages)
		thaw_guest_includes(${target} ${CMAKE_C_COMPILER} C,ASM)
	endif()
	if(CXX IN_LIST languages)
		thaw_guest_cxx_options(${target})
	endif()
	# what picolibc's headers leave to the system to say that it has
	target_compile_definitions(${target} PRIVATE
		_POSIX_TIMERS=200112L _POSIX_MONOTONIC_CLOCK=200112L)
	target_compile_options(${target} PRIVATE
		-nostdinc -fno-stack-protector -ffunction-sections -fdata-sections
		-fno-asynchronous-unwind-tables -fno-unwind-tables -g
		-fno-omit-frame-pointer -mno-omit-leaf-frame-pointer)
	if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
		target_compile_options(${target} PRIVATE -fcf-protection=none)
	else()
		target_compile_options(${target} PRIVATE -mno-outline-atomics)
	endif()
endfunction()

function(thaw_add_function)
	cmake_parse_arguments(PARSE_ARGV 0 arg "PIE;HYPERLIGHT" "NAME;OUTPUT"
		"SOURCES")
	if(NOT arg_NAME OR NOT arg_SOURCES OR arg_UNPARSED_ARGUMENTS)
		message(FATAL_ERROR "usage: thaw_add_function(NAME name "
			"SOURCES file... [OUTPUT dir] [PIE] [HYPERLIGHT])")
	endif()
	if(NOT arg_OUTPUT)
		set(arg_OUTPUT ${CMAKE_CURRENT_BINARY_DIR})
	endif()

	add_executable(${arg_NAME} ${arg_SOURCES})
	thaw_guest_options(${arg_NAME})
	if(arg_PIE)
		target_compile_options(${arg_NAME} PRIVATE -fPIE)
		set(kind -static-pie)
	else()
		target_compile_options(${arg_NAME} PRIVATE -fno-pie)
		set(kind -static)
	endif()
	target_link_options(${arg_NAME} PRIVATE ${kind} -nostdlib
		-Wl,--gc-sections -Wl,-z,max-page-size=4096 -Wl,-z,norelro
		-Wl,--build-id=none -T ${THAW_SDK_SCRIPT})
	if(arg_HYPERLIGHT)
		target_include_directories(${arg_NAME} PRIVATE
			${THAW_SDK_HYPERLIGHT_INCLUDES})
		set(whole ${THAW_SDK_HYPERLIGHT})
	else()
		set(whole)
	endif()
	# whole: what the SDK and the C library both define is to be the SDK's
	target_link_libraries(${arg_NAME} PRIVATE
		-Wl,--whole-archive ${whole} ${THAW_SDK_LIBRARY}
		-Wl,--no-whole-archive
		$<$<LINK_LANGUAGE:CXX>:-lstdc++> ${THAW_SDK_LIBC} -lgcc)
	set_target_properties(${arg_NAME} PROPERTIES
		OUTPUT_NAME ${arg_NAME}.elf
		RUNTIME_OUTPUT_DIRECTORY ${arg_OUTPUT}
		LINK_DEPENDS ${THAW_SDK_SCRIPT})
endfunction()
