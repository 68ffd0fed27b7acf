# libthaw for programs outside this tree, shared and static, and what
# `cmake --install` adds to it. Both are made of the two files that implement
# libthaw.h and of what the linker takes for them from the libraries below: the
# server, the benchmarks and the command line are not in it.
add_library(libthaw_roots OBJECT libthaw.c client/client.c)
target_compile_definitions(libthaw_roots PRIVATE THAW_VERSION="${PROJECT_VERSION}")
target_link_libraries(libthaw_roots PRIVATE thaw_host)
set(libthaw_parts client protocol io engine linux_calls host typed snapshot store vm image base)

# libthaw.a: one object, in which all but thaw_*() is local, so that no name of ours
# can be one of the program's as well.
set(libthaw_archive ${CMAKE_BINARY_DIR}/libthaw.a)
set(libthaw_object ${CMAKE_CURRENT_BINARY_DIR}/libthaw_all.o)
list(TRANSFORM libthaw_parts REPLACE "(.+)" "$<TARGET_FILE:\\1>"
	OUTPUT_VARIABLE libthaw_part_files)
add_custom_command(OUTPUT ${libthaw_archive}
	COMMAND ${CMAKE_C_COMPILER} -r -nostdlib -o ${libthaw_object}
		$<TARGET_OBJECTS:libthaw_roots>
		-Wl,--start-group ${libthaw_part_files} -Wl,--end-group
	COMMAND ${CMAKE_OBJCOPY} --localize-hidden ${libthaw_object}
	COMMAND ${CMAKE_COMMAND} -E rm -f ${libthaw_archive}
	COMMAND ${CMAKE_AR} rcs ${libthaw_archive} ${libthaw_object}
	DEPENDS $<TARGET_OBJECTS:libthaw_roots> ${libthaw_parts}
	COMMAND_EXPAND_LISTS VERBATIM)
add_custom_target(libthaw_static ALL DEPENDS ${libthaw_archive})
install(FILES ${libthaw_archive} DESTINATION ${CMAKE_INSTALL_LIBDIR})

# A build for another machine links everything statically, as its libraries are.
if(NOT CMAKE_CROSSCOMPILING)
	set(libthaw_map ${CMAKE_CURRENT_SOURCE_DIR}/libthaw.map)
	add_library(libthaw SHARED $<TARGET_OBJECTS:libthaw_roots>)
	target_link_libraries(libthaw PRIVATE thaw_host ${libthaw_parts})
	target_link_options(libthaw PRIVATE -Wl,--as-needed -Wl,-z,relro -Wl,-z,now
		-Wl,--version-script=${libthaw_map})
	set_target_properties(libthaw PROPERTIES
		OUTPUT_NAME thaw
		EXPORT_NAME thaw
		LINKER_LANGUAGE C
		LINK_DEPENDS ${libthaw_map}
		VERSION ${PROJECT_VERSION}
		SOVERSION ${PROJECT_VERSION_MAJOR}
		LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
	target_include_directories(libthaw INTERFACE
		$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
	install(TARGETS libthaw EXPORT thaw-targets)
endif()

install(FILES libthaw.h ${CMAKE_SOURCE_DIR}/guest/abi/thaw_log.h
	${CMAKE_SOURCE_DIR}/guest/abi/thaw_types.h
	DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

# pkg-config: relative to where the file is, so that the folder can be moved.
set(prefix /)
cmake_path(APPEND prefix ${CMAKE_INSTALL_LIBDIR} pkgconfig
	OUTPUT_VARIABLE libthaw_pkgconfig_folder)
file(RELATIVE_PATH libthaw_up ${libthaw_pkgconfig_folder} ${prefix})
configure_file(libthaw.pc.in libthaw.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/libthaw.pc
	DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# find_package(thaw)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/thaw)
if(TARGET libthaw)
	install(EXPORT thaw-targets NAMESPACE thaw:: DESTINATION ${package})
endif()
configure_package_config_file(thaw-config.cmake.in thaw-config.cmake
	INSTALL_DESTINATION ${package}
	PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(
	${CMAKE_CURRENT_BINARY_DIR}/thaw-config-version.cmake
	COMPATIBILITY SameMajorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/thaw-config.cmake
	${CMAKE_CURRENT_BINARY_DIR}/thaw-config-version.cmake
	DESTINATION ${package})
