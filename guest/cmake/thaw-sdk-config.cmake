# thaw-sdk-config.cmake - find_package(thaw-sdk) finds the installed SDK.

set(THAW_SDK_INCLUDES
	${CMAKE_CURRENT_LIST_DIR}/../include
	${CMAKE_CURRENT_LIST_DIR}/../picolibc/include)
set(THAW_SDK_CXX ${CMAKE_CURRENT_LIST_DIR}/../cxx)
set(THAW_SDK_HYPERLIGHT
	${CMAKE_CURRENT_LIST_DIR}/../lib/libthaw_hyperlight.a)
set(THAW_SDK_LIBRARY ${CMAKE_CURRENT_LIST_DIR}/../lib/libthaw_sdk.a)
set(THAW_SDK_LIBC ${CMAKE_CURRENT_LIST_DIR}/../picolibc/lib/libc.a)
set(THAW_SDK_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/../lib/function.ld)
include(${CMAKE_CURRENT_LIST_DIR}/ThawFunction.cmake)
