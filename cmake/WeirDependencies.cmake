# Libraries that weir stands on, as one interface library. docs/dependencies.md says why each.
find_package(PkgConfig QUIET)
find_package(Threads REQUIRED)
find_package(ZLIB QUIET)
find_package(HDF5 QUIET COMPONENTS C)
# GSL's pkg-config file names its own CBLAS; OpenBLAS is the fast one, so both are found one by one.
# Only what does linear algebra links OpenBLAS (weir_blas): it starts threads as soon as it is
# loaded, which cost CPU time.
find_path(GSL_INCLUDE_DIR gsl/gsl_errno.h)
find_library(GSL_LIBRARY gsl)
find_library(OPENBLAS_LIBRARY openblas)
if(PKG_CONFIG_FOUND)
  pkg_check_modules(CJSON QUIET IMPORTED_TARGET libcjson)
  pkg_check_modules(CAIRO QUIET IMPORTED_TARGET cairo)
  pkg_check_modules(XXHASH QUIET IMPORTED_TARGET libxxhash)
  pkg_check_modules(SQLITE QUIET IMPORTED_TARGET sqlite3)
  pkg_check_modules(NETTLE QUIET IMPORTED_TARGET nettle)
  if(BUILD_TESTING)
    pkg_check_modules(CHECK QUIET IMPORTED_TARGET check)
  endif()
endif()

# Everything that is missing is told at once, with what Debian and Ubuntu call it.
set(WEIR_MISSING_PACKAGES "")
macro(weir_require found package)
  if(NOT ${found})
    list(APPEND WEIR_MISSING_PACKAGES ${package})
  endif()
endmacro()
weir_require(PKG_CONFIG_FOUND pkg-config)
weir_require(ZLIB_FOUND zlib1g-dev)
weir_require(HDF5_FOUND libhdf5-dev)
weir_require(GSL_INCLUDE_DIR libgsl-dev)
weir_require(GSL_LIBRARY libgsl-dev)
weir_require(OPENBLAS_LIBRARY libopenblas-dev)
weir_require(CJSON_FOUND libcjson-dev)
weir_require(CAIRO_FOUND libcairo2-dev)
weir_require(XXHASH_FOUND libxxhash-dev)
weir_require(SQLITE_FOUND libsqlite3-dev)
weir_require(NETTLE_FOUND nettle-dev)
if(BUILD_TESTING)
  weir_require(CHECK_FOUND check)
endif()
if(WEIR_MISSING_PACKAGES)
  list(REMOVE_DUPLICATES WEIR_MISSING_PACKAGES)
  list(JOIN WEIR_MISSING_PACKAGES " " WEIR_MISSING_PACKAGES)
  message(FATAL_ERROR "weir needs libraries that are not installed. On Debian or Ubuntu:\n"
                      "  apt-get install ${WEIR_MISSING_PACKAGES}")
endif()

add_library(weir_dependencies INTERFACE)
target_include_directories(weir_dependencies SYSTEM INTERFACE
  ${GSL_INCLUDE_DIR} ${HDF5_INCLUDE_DIRS})
target_link_libraries(weir_dependencies INTERFACE
  ${GSL_LIBRARY} PkgConfig::CJSON PkgConfig::CAIRO PkgConfig::XXHASH
  PkgConfig::SQLITE PkgConfig::NETTLE ${HDF5_C_LIBRARIES}
  ZLIB::ZLIB Threads::Threads m)

add_library(weir_blas INTERFACE)
target_link_libraries(weir_blas INTERFACE ${OPENBLAS_LIBRARY})
