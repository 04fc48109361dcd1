# nlohmann_json, header only: from the system, or from the PyPI package nlohmann-json of the Python that is found.
find_package(nlohmann_json 3.9 CONFIG QUIET)
if(NOT TARGET nlohmann_json::nlohmann_json)
  if(NOT Python_Interpreter_FOUND)
    find_package(Python 3.10 COMPONENTS Interpreter QUIET)
  endif()
  if(Python_Interpreter_FOUND)
    execute_process(
      COMMAND "${Python_EXECUTABLE}" -c "import importlib.util as u; print(u.find_spec('nlohmann_json').submodule_search_locations[0])"
      OUTPUT_VARIABLE package_folder OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  endif()
  if(NOT EXISTS "${package_folder}/include/nlohmann/json.hpp")
    message(FATAL_ERROR "lamina: nlohmann_json was not found; install it from Debian or Ubuntu (nlohmann-json3-dev) "
                        "or from PyPI (nlohmann-json).")
  endif()
  add_library(nlohmann_json::nlohmann_json INTERFACE IMPORTED)
  target_include_directories(nlohmann_json::nlohmann_json INTERFACE "${package_folder}/include")
endif()
