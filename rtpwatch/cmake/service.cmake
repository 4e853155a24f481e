# The service: units, default configuration, and the package that holds all of it (cpack -G DEB).
set(RW_UNIT_DIR lib/systemd/system CACHE PATH "Where systemd looks for units")
file(READ service/hardening.in RW_SERVICE)
foreach(unit rtpwatch rtpwatch@)
  configure_file(service/${unit}.service.in ${PROJECT_BINARY_DIR}/service/${unit}.service @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/service/${unit}.service DESTINATION ${RW_UNIT_DIR})
endforeach()
install(FILES service/rtpwatch.conf DESTINATION ${CMAKE_INSTALL_FULL_SYSCONFDIR}/rtpwatch)
install(FILES service/rtpwatch.logrotate DESTINATION ${CMAKE_INSTALL_FULL_SYSCONFDIR}/logrotate.d RENAME rtpwatch)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_CONTACT "the rtpwatch authors <rtpwatch@example.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_STRIP_FILES ON)
set(CPACK_SET_DESTDIR ON) # some of it goes to /etc, whatever the prefix
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "logrotate")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    "${CMAKE_CURRENT_SOURCE_DIR}/service/deb/conffiles;${CMAKE_CURRENT_SOURCE_DIR}/service/deb/postinst;${CMAKE_CURRENT_SOURCE_DIR}/service/deb/prerm;${CMAKE_CURRENT_SOURCE_DIR}/service/deb/postrm")
include(CPack)
