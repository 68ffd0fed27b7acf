# Cross-building for x86_64. See cross.cmake.
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(THAW_CROSS_ARCH x86_64)
set(THAW_CROSS_TRIPLET x86_64-linux-gnu)
include(${CMAKE_CURRENT_LIST_DIR}/cross.cmake)
