# What `cmake --install` puts where: bin/weir, both libraries, headers under include/weir, a pkg-config
# file, and the configs and trace tables under share/weir.
install(TARGETS weir weir_static weir_shared
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})

# A room's header keeps its room: #include "engine/engine.h" with -I<prefix>/include/weir.
install(DIRECTORY sim/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/weir
  FILES_MATCHING PATTERN "*.h" PATTERN "*_internal.h" EXCLUDE PATTERN "cli" EXCLUDE)
install(DIRECTORY rl analysis DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/weir OPTIONAL
  FILES_MATCHING PATTERN "*.h" PATTERN "*_internal.h" EXCLUDE)

# Downloaded traces stay where they were downloaded.
install(DIRECTORY configs traces DESTINATION ${WEIR_INSTALL_DATADIR} OPTIONAL
  USE_SOURCE_PERMISSIONS PATTERN "*.csv" EXCLUDE)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

# The pkg-config file finds its prefix from where it lies, so that an installed tree can be moved.
string(REGEX REPLACE "[^/]+" ".." WEIR_PREFIX_FROM_PKGCONFIG ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
list(GET HDF5_C_LIBRARIES 0 WEIR_HDF5_LIBRARY)
get_filename_component(WEIR_HDF5_LIBDIR ${WEIR_HDF5_LIBRARY} DIRECTORY)
configure_file(cmake/weir.pc.in ${PROJECT_BINARY_DIR}/generated/weir.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/generated/weir.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
