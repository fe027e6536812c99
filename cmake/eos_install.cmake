# Installs the program, the libraries, the headers, price lists and examples, and a package that
# `find_package(eos)` finds.
include(CMakePackageConfigHelpers)
get_property(modules GLOBAL PROPERTY EOS_MODULES)
install(TARGETS ${modules} EXPORT eosTargets FILE_SET HEADERS)
install(TARGETS eos RUNTIME)
install(EXPORT eosTargets NAMESPACE eos:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/eos)
configure_package_config_file(cmake/eosConfig.cmake.in eosConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/eos)
write_basic_package_version_file(eosConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/eosConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/eosConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/eos)
install(FILES cmake/FindoneDNN.cmake DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/eos)
install(DIRECTORY data/prices data/evidence DESTINATION ${CMAKE_INSTALL_DATADIR}/eos)
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DATADIR}/eos)
