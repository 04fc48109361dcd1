# What `cmake --install` puts down: the library, its public headers, and the package for find_package(lamina CONFIG).
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

# Every header under cpp/lamina is public but these. kernels.h is: plain types, which layers, losses and optimizers speak.
set(private_headers "kernels/.*" "layers/(activation_pass|column_sums)\\.h" "losses/loss_rows\\.h" "metrics/class_of\\.h"
                    "model/(arena|crc32|inference_plan|model_file_.*|plan|safetensors)\\.h"
                    "training/(train_step|update)\\.h")
set(public_headers "kernels/kernels.h")

set(header_root "${CMAKE_CURRENT_SOURCE_DIR}/cpp/lamina")
file(GLOB_RECURSE headers RELATIVE "${header_root}" CONFIGURE_DEPENDS "${header_root}/*.h")
foreach(header IN LISTS private_headers)
  list(FILTER headers EXCLUDE REGEX "^${header}$")
endforeach()
foreach(header IN LISTS headers public_headers)
  get_filename_component(folder "${header}" DIRECTORY)
  install(FILES "${header_root}/${header}" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/lamina/${folder}")
endforeach()

set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/lamina")
install(TARGETS lamina EXPORT lamina-targets)
install(EXPORT lamina-targets NAMESPACE lamina:: DESTINATION "${package_folder}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/lamina-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES cmake/lamina-config.cmake "${PROJECT_BINARY_DIR}/lamina-config-version.cmake" DESTINATION "${package_folder}")
