# Libraries that weir stands on, as one interface library. docs/dependencies.md says why each.
find_package(PkgConfig REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Threads REQUIRED)
find_package(HDF5 REQUIRED COMPONENTS C)
pkg_check_modules(GSL REQUIRED IMPORTED_TARGET gsl)
pkg_check_modules(CJSON REQUIRED IMPORTED_TARGET libcjson)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
# GSL calls a CBLAS; OpenBLAS is the fast one.
find_library(OPENBLAS_LIBRARY NAMES openblas REQUIRED)
find_library(GSL_LIBRARY NAMES gsl REQUIRED)

add_library(weir_dependencies INTERFACE)
target_include_directories(weir_dependencies SYSTEM INTERFACE
  ${GSL_INCLUDE_DIRS} ${CJSON_INCLUDE_DIRS} ${XXHASH_INCLUDE_DIRS} ${HDF5_INCLUDE_DIRS})
target_link_libraries(weir_dependencies INTERFACE
  ${GSL_LIBRARY} ${OPENBLAS_LIBRARY} PkgConfig::CJSON PkgConfig::XXHASH ${HDF5_C_LIBRARIES}
  ZLIB::ZLIB Threads::Threads m)
