# What `cmake --install` puts where: bin/weir, both libraries, headers under include/weir, a pkg-config
# file, and the configs, trace tables and Python package under share/weir.
install(TARGETS weir weir_static weir_shared
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})

# A header that exports something is public, and so is what it includes. Each keeps its room's name:
# #include "engine/engine.h" with -I<prefix>/include/weir.
set(WEIR_PUBLIC_HEADERS "")
function(weir_publish header)
  if(header IN_LIST WEIR_PUBLIC_HEADERS)
    return()
  endif()
  list(APPEND WEIR_PUBLIC_HEADERS ${header})
  file(STRINGS ${header} includes REGEX "^#include \"")
  foreach(include ${includes})
    string(REGEX REPLACE "^#include \"([^\"]*)\".*" "\\1" include ${include})
    if(EXISTS ${PROJECT_SOURCE_DIR}/sim/${include})
      weir_publish(${PROJECT_SOURCE_DIR}/sim/${include})
    elseif(EXISTS ${PROJECT_SOURCE_DIR}/${include})
      weir_publish(${PROJECT_SOURCE_DIR}/${include})
    endif()
  endforeach()
  set(WEIR_PUBLIC_HEADERS ${WEIR_PUBLIC_HEADERS} PARENT_SCOPE)
endfunction()

file(GLOB_RECURSE WEIR_HEADERS CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/sim/*.h
     ${PROJECT_SOURCE_DIR}/rl/*.h ${PROJECT_SOURCE_DIR}/analysis/*.h)
foreach(header ${WEIR_HEADERS})
  file(STRINGS ${header} exports REGEX WEIR_API LIMIT_COUNT 1)
  if(exports)
    weir_publish(${header})
  endif()
endforeach()
foreach(header ${WEIR_PUBLIC_HEADERS})
  file(RELATIVE_PATH room ${PROJECT_SOURCE_DIR} ${header})
  get_filename_component(room ${room} DIRECTORY)
  string(REGEX REPLACE "^sim/" "" room ${room})
  install(FILES ${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/weir/${room})
endforeach()

# Downloaded traces stay where they were downloaded.
install(DIRECTORY configs traces DESTINATION ${WEIR_INSTALL_DATADIR} OPTIONAL
  USE_SOURCE_PERMISSIONS PATTERN "*.csv" EXCLUDE)
# PYTHONPATH=<prefix>/share/weir/python finds it: any Python may, so it belongs to none.
install(DIRECTORY python DESTINATION ${WEIR_INSTALL_DATADIR}
  USE_SOURCE_PERMISSIONS PATTERN __pycache__ EXCLUDE)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

# The pkg-config file finds its prefix from where it lies, so that an installed tree can be moved.
string(REGEX REPLACE "[^/]+" ".." WEIR_PREFIX_FROM_PKGCONFIG ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
list(GET HDF5_C_LIBRARIES 0 WEIR_HDF5_LIBRARY)
get_filename_component(WEIR_HDF5_LIBDIR ${WEIR_HDF5_LIBRARY} DIRECTORY)
configure_file(cmake/weir.pc.in ${PROJECT_BINARY_DIR}/generated/weir.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/generated/weir.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
