# prefer_archives(PREFIX...): has programs link the archives of the libraries that
# pkg_check_modules(PREFIX ... IMPORTED_TARGET) has found, and of those that these need, if
# all archives are there and can be linked. Shared libraries, ours too, still link shared
# ones.
#
# A new process of thaw replies after 2 ms. Each shared library that it loads takes 30 to
# 60 us of that.

include(CheckCSourceCompiles)

# find_archives(PREFIX RESULT): the archives, or nothing if one cannot be linked.
function(find_archives prefix result)
	set(${result} PARENT_SCOPE)
	set(archives)
	foreach(library IN LISTS ${prefix}_STATIC_LIBRARIES)
		# parts of the C library
		if(library MATCHES "^(dl|m|pthread|rt)$")
			list(APPEND archives ${library})
			continue()
		endif()
		# of no other version than the headers
		set(name ${prefix}_ARCHIVE_${library})
		find_library(${name} lib${library}.a NO_DEFAULT_PATH
			PATHS ${${prefix}_LIBDIR} ${${prefix}_STATIC_LIBRARY_DIRS})
		mark_as_advanced(${name})
		if(NOT ${name})
			return()
		endif()
		list(APPEND archives ${${name}})
	endforeach()

	# each as a whole, since it may lack parts that few programs need
	set(CMAKE_REQUIRED_FLAGS -fPIE)
	set(CMAKE_REQUIRED_LINK_OPTIONS -pie)
	foreach(archive IN LISTS archives)
		if(NOT archive MATCHES "/")
			continue()
		endif()
		string(MAKE_C_IDENTIFIER "${archive}_${${prefix}_VERSION}_links" links)
		set(CMAKE_REQUIRED_LIBRARIES -Wl,--whole-archive ${archive}
			-Wl,--no-whole-archive ${archives} Threads::Threads)
		check_c_source_compiles("int main(void) { return 0; }" ${links})
		if(NOT ${links})
			return()
		endif()
	endforeach()
	set(${result} ${archives} PARENT_SCOPE)
endfunction()

function(prefer_archives)
	foreach(prefix IN LISTS ARGN)
		find_archives(${prefix} ${prefix}_archives)
		if(NOT ${prefix}_archives)
			return()
		endif()
	endforeach()
	set(is_program $<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>)
	foreach(prefix IN LISTS ARGN)
		set(target PkgConfig::${prefix})
		get_target_property(shared ${target} INTERFACE_LINK_LIBRARIES)
		set_target_properties(${target} PROPERTIES INTERFACE_LINK_LIBRARIES
			"$<${is_program}:${${prefix}_archives}>;$<$<NOT:${is_program}>:${shared}>")
	endforeach()
endfunction()
