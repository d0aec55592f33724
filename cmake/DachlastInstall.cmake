# What `cmake --install` and CPack put where. Component `program` is what people run; `development` the libraries.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

get_property(libraries GLOBAL PROPERTY DACHLAST_INSTALLED_LIBRARIES)
get_property(headers GLOBAL PROPERTY DACHLAST_INSTALLED_HEADERS)

# -------- libraries, headers, CMake package
install(TARGETS ${libraries} EXPORT dachlastTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
foreach(header IN LISTS headers)
  cmake_path(RELATIVE_PATH header BASE_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE relative)
  cmake_path(GET relative PARENT_PATH folder)
  install(FILES ${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/dachlast/${folder} COMPONENT development)
endforeach()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/dachlast)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/dachlastConfig.cmake.in
                              ${PROJECT_BINARY_DIR}/package/dachlastConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/dachlastConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/package/dachlastConfig.cmake
              ${PROJECT_BINARY_DIR}/package/dachlastConfigVersion.cmake
        DESTINATION ${package_dir} COMPONENT development)
install(EXPORT dachlastTargets NAMESPACE dachlast:: DESTINATION ${package_dir} COMPONENT development)

# -------- program, data, documentation
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/dachlast RENAME copyright
        COMPONENT program)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/dachlast-dev RENAME copyright
        COMPONENT development)

if(TARGET dachlast_cli)
  set(docs ${PROJECT_BINARY_DIR}/docs)
  set(completions ${docs}/completions)
  file(MAKE_DIRECTORY ${completions})
  add_custom_command(
    OUTPUT ${docs}/man/dachlast.1
    COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:dachlast_cli> -DFOLDER=${docs}/man
            -P ${CMAKE_CURRENT_LIST_DIR}/GenerateManPages.cmake
    DEPENDS dachlast_cli ${CMAKE_CURRENT_LIST_DIR}/GenerateManPages.cmake
    COMMENT "Writing man pages" VERBATIM)
  foreach(shell bash zsh fish)
    add_custom_command(OUTPUT ${completions}/${shell} COMMAND dachlast_cli completion ${shell} > ${completions}/${shell}
                       DEPENDS dachlast_cli COMMENT "Writing the ${shell} completion" VERBATIM)
  endforeach()
  add_custom_target(dachlast_docs ALL DEPENDS ${docs}/man/dachlast.1 ${completions}/bash ${completions}/zsh
                                              ${completions}/fish)

  install(TARGETS dachlast_cli DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
  if(TARGET dachlast_gui)
    install(TARGETS dachlast_gui DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
    set(desktop ${PROJECT_SOURCE_DIR}/app/gui/desktop)
    set(icons ${CMAKE_INSTALL_DATADIR}/icons/hicolor/scalable)
    install(FILES ${desktop}/dachlast.desktop DESTINATION ${CMAKE_INSTALL_DATADIR}/applications COMPONENT program)
    install(FILES ${desktop}/dachlast.xml DESTINATION ${CMAKE_INSTALL_DATADIR}/mime/packages COMPONENT program)
    install(FILES ${desktop}/dachlast.svg DESTINATION ${icons}/apps COMPONENT program)
    install(FILES ${desktop}/dachlast-file.svg DESTINATION ${icons}/mimetypes RENAME application-x-dachlast-run.svg
            COMPONENT program)
    install(FILES ${desktop}/dachlast-gui.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT program)
  endif()
  foreach(target dachlast_nvtx dachlast_png)
    if(TARGET ${target})
      install(TARGETS ${target} LIBRARY DESTINATION lib/dachlast COMPONENT program)
    endif()
  endforeach()
  # Not in the Debian package: no package of main provides the libraries of NVIDIA's that they need.
  foreach(target dachlast_cuda dachlast_cublaslt dachlast_cupti)
    if(TARGET ${target})
      install(TARGETS ${target} LIBRARY DESTINATION lib/dachlast COMPONENT cuda)
    endif()
  endforeach()
  install(DIRECTORY ${docs}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT program)
  install(FILES ${completions}/bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME dachlast
          COMPONENT program)
  install(FILES ${completions}/zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions RENAME _dachlast
          COMPONENT program)
  install(FILES ${completions}/fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d
          RENAME dachlast.fish COMPONENT program)
  # The program looks for share/dachlast beside its bin folder; the build tree is laid out the same way.
  install(DIRECTORY ${PROJECT_BINARY_DIR}/share/dachlast/ DESTINATION ${CMAKE_INSTALL_DATADIR}/dachlast
          COMPONENT program)
endif()

# -------- Debian packages: dachlast and dachlast-dev
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME dachlast)
set(CPACK_PACKAGE_VENDOR "The Dachlast authors")
set(CPACK_PACKAGE_CONTACT "The Dachlast authors <maintainers@dachlast.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "measures and predicts the load of transformer layers")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL program development)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS OFF)
set(CPACK_COMPONENT_PROGRAM_DESCRIPTION
    "Measures memory traffic and compute of transformer models on this computer,
holds them against its measured roofs, and says which resource binds.")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME dachlast)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
if(TARGET dachlast_gui)
  # Icons are SVG; Qt's own dialogs speak German by the second.
  set(CPACK_DEBIAN_PROGRAM_PACKAGE_RECOMMENDS "libqt6svg6, qt6-translations-l10n")
endif()
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "Static libraries, headers and CMake package of Dachlast.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME dachlast-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
    "libfmt-dev, nlohmann-json3-dev, libsqlite3-dev, libhwloc-dev, libdnnl-dev, libsimdjson-dev, libyaml-cpp-dev, zlib1g-dev")
include(CPack)
