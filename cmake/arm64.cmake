# Cross-building for arm64. See cross.cmake.
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(THAW_CROSS_ARCH arm64)
set(THAW_CROSS_TRIPLET aarch64-linux-gnu)
include(${CMAKE_CURRENT_LIST_DIR}/cross.cmake)
