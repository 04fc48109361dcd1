# What `cmake --install` puts down: the library, its public headers, and the packages for find_package(lamina CONFIG)
# and pkg-config. The wheel holds the same below its folder lamina/.
include(CMakePackageConfigHelpers)
if(SKBUILD)
  set(CMAKE_INSTALL_LIBDIR lamina/lib)
  set(CMAKE_INSTALL_BINDIR lamina/bin)
  set(CMAKE_INSTALL_INCLUDEDIR lamina/include)
endif()
include(GNUInstallDirs)

# Every header under cpp/lamina is public but these.
set(private_headers "kernels/.*" "c_api_handles\\.h" "core/number\\.h" "layers/(activation_pass|column_sums)\\.h"
                    "losses/loss_rows\\.h" "metrics/class_of\\.h"
                    "model/(arena|crc32|inference_plan|json_text|model_checks|model_file_layout|plan(_impl)?)\\.h"
                    "model/safetensors(_table)?\\.h"
                    "training/(session_impl|step_executor|train_step|trainer_record|update)\\.h")

set(header_root "${CMAKE_CURRENT_SOURCE_DIR}/cpp/lamina")
file(GLOB_RECURSE headers RELATIVE "${header_root}" CONFIGURE_DEPENDS "${header_root}/*.h")
foreach(header IN LISTS private_headers)
  list(FILTER headers EXCLUDE REGEX "^${header}$")
endforeach()
foreach(header IN LISTS headers)
  get_filename_component(folder "${header}" DIRECTORY)
  install(FILES "${header_root}/${header}" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/lamina/${folder}" COMPONENT headers)
endforeach()

# A prefix may hold a static and a shared library side by side: each brings targets of its own.
get_target_property(kind lamina TYPE)
if(kind STREQUAL "SHARED_LIBRARY")
  set(kind shared)
else()
  set(kind static)
endif()
set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/lamina")
install(TARGETS lamina EXPORT lamina-targets
        RUNTIME COMPONENT runtime
        LIBRARY COMPONENT runtime NAMELINK_COMPONENT development
        ARCHIVE COMPONENT development
        INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
if(SKBUILD AND CMAKE_STRIP AND kind STREQUAL "static")  # every byte counts in a wheel
  install(CODE "execute_process(COMMAND \"${CMAKE_STRIP}\" --strip-unneeded
                                \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/liblamina.a\" COMMAND_ERROR_IS_FATAL ANY)"
          COMPONENT development)
endif()
install(EXPORT lamina-targets NAMESPACE lamina:: DESTINATION "${package_folder}" FILE lamina-${kind}-targets.cmake
        COMPONENT development)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/lamina-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES cmake/lamina-config.cmake "${PROJECT_BINARY_DIR}/lamina-config-version.cmake" DESTINATION "${package_folder}"
        COMPONENT development)

# pkg-config finds the prefix from where its file lies, so the prefix may be moved.
set(pkgconfig_folder "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig")
file(RELATIVE_PATH prefix_from_pkgconfig "${pkgconfig_folder}" "${CMAKE_INSTALL_PREFIX}")
string(REGEX REPLACE "/$" "" prefix_from_pkgconfig "${prefix_from_pkgconfig}")
configure_file(cmake/lamina.pc.in "${PROJECT_BINARY_DIR}/lamina.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/lamina.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT development)
