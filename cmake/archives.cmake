# prefer_archives(PREFIX): has programs link the archives of the library that
# pkg_check_modules(PREFIX ... IMPORTED_TARGET) has found, and of those that it needs,
# if all are there and can be linked. Shared libraries, ours too, still link shared ones.
#
# A process of thaw's starts with a reply in mind that takes 2 ms. Each shared library that
# it loads takes 30 to 60 us of them.

include(CheckCSourceCompiles)

function(prefer_archives prefix)
	set(archives)
	foreach(library IN LISTS ${prefix}_STATIC_LIBRARIES)
		find_library(${prefix}_ARCHIVE_${library} lib${library}.a
			HINTS ${${prefix}_LIBDIR} ${${prefix}_STATIC_LIBRARY_DIRS})
		mark_as_advanced(${prefix}_ARCHIVE_${library})
		if(NOT ${prefix}_ARCHIVE_${library})
			return()
		endif()
		list(APPEND archives ${${prefix}_ARCHIVE_${library}})
	endforeach()

	# each as a whole too, since it may lack parts that few programs need
	foreach(archive IN LISTS archives)
		cmake_path(GET archive STEM name)
		set(CMAKE_REQUIRED_LIBRARIES -Wl,--whole-archive ${archive}
			-Wl,--no-whole-archive ${archives} Threads::Threads)
		check_c_source_compiles("int main(void) { return 0; }"
			${prefix}_WHOLE_${name})
		if(NOT ${prefix}_WHOLE_${name})
			return()
		endif()
	endforeach()

	get_target_property(shared PkgConfig::${prefix} INTERFACE_LINK_LIBRARIES)
	set(is_program $<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>)
	set_target_properties(PkgConfig::${prefix} PROPERTIES INTERFACE_LINK_LIBRARIES
		"$<${is_program}:${archives}>;$<$<NOT:${is_program}>:${shared}>")
endfunction()
