# Flags, modules and tests. Everything that every target shares is decided here, once.

option(CORRAL_TESTS "Build the tests" ON)
option(CORRAL_STATIC "Link the corral binary statically (a cold start of half the time, one file to copy)" ON)
set(CORRAL_SANITIZE "" CACHE STRING "Sanitizers for every target, such as address,undefined; empty for none")

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1")

# What holds for every file, wherever it is linked; and, for all but what is installed as a library, how this project links.
set(unity $<BOOL:$<TARGET_PROPERTY:UNITY_BUILD>>)
add_library(corral_language INTERFACE)
target_include_directories(corral_language INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(corral_language INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor
  -Woverloaded-virtual -Wimplicit-fallthrough -Wswitch-enum -Werror
  # Among several files in one: what a local name shadows in another file is not meant by it, and GCC takes a class that a source
  # defines for one of a header.
  $<$<NOT:${unity}>:-Wshadow>
  $<$<AND:${unity},$<CXX_COMPILER_ID:GNU>>:-Wshadow=local$<SEMICOLON>-Wno-subobject-linkage>
  # GCC 12 sees uninitialised members in the alternatives that a std::variant does not hold.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized> -ffunction-sections -fdata-sections)
target_compile_definitions(corral_language INTERFACE BOOST_ASIO_NO_DEPRECATED _GNU_SOURCE)
add_library(corral_flags INTERFACE)
target_link_libraries(corral_flags INTERFACE corral_language)
target_compile_options(corral_flags INTERFACE -fno-plt)

add_library(corral_link_flags INTERFACE)
target_link_options(corral_link_flags INTERFACE -Wl,--gc-sections)
if(CORRAL_SANITIZE)
  # The check of vptr asks with a pipe whether memory can be read, and takes a lack of descriptors for a broken object.
  target_compile_options(corral_language INTERFACE -fsanitize=${CORRAL_SANITIZE} -fno-sanitize=vptr -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  target_link_options(corral_flags INTERFACE -fsanitize=${CORRAL_SANITIZE})
elseif(CORRAL_STATIC)
  # Not position independent: a static-pie relocates itself at every start, which a supervisor's cold start pays for.
  target_compile_options(corral_flags INTERFACE -fno-pie)
  target_link_options(corral_flags INTERFACE -no-pie)
  target_link_options(corral_link_flags INTERFACE -static)
endif()

# What a start goes through lies side by side (decision 0021). Not where sanitizers put their own between.
function(corral_ordered target)
  set(script ${CMAKE_SOURCE_DIR}/common/cmake/start_order.ld)
  if(CORRAL_STATIC AND NOT CORRAL_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    target_link_options(${target} PRIVATE -Wl,-T,${script})
    set_target_properties(${target} PROPERTIES LINK_DEPENDS ${script})
  endif()
endfunction()

# A static program hands all its frames to the unwinder at its start, which sorts them at the first exception: eight milliseconds,
# for `corral --help` or in the loop of a supervisor. A table that the linker sorts is found by itself where nothing was handed over.
function(corral_unwinds_by_table target)
  if(CORRAL_STATIC AND NOT CORRAL_SANITIZE)
    target_sources(${target} PRIVATE ${CMAKE_SOURCE_DIR}/common/cmake/no_frames.cpp)
    target_link_options(${target} PRIVATE -Wl,--eh-frame-hdr
      -Wl,--wrap=__register_frame_info,--wrap=__deregister_frame_info)
  endif()
endfunction()

# SQLite as SQLite::SQLite3, and xxhash.h: static with a static corral. Without extensions it needs neither dl nor anything else.
macro(corral_find_static)
  set(corral_suffixes ${CMAKE_FIND_LIBRARY_SUFFIXES})
  if(CORRAL_STATIC AND NOT CORRAL_SANITIZE)
    set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
  endif()
  find_package(SQLite3 3.38 REQUIRED)
  find_package(ZLIB 1.2 REQUIRED)
  set(CMAKE_FIND_LIBRARY_SUFFIXES ${corral_suffixes})
  find_path(CORRAL_XXHASH xxhash.h REQUIRED)
endmacro()

# Several sources of a target are compiled as one: most of a compilation is reading the same headers and instantiating the same
# templates. So what the unnamed namespaces of a room hold has names that differ. -DCORRAL_UNITY=OFF compiles each file by itself,
# as clang-tidy reads it (./dev lint).
option(CORRAL_UNITY "Compile several sources of a target at a time" ON)
function(corral_unity target)
  if(CORRAL_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  endif()
endfunction()

# Every source that reads a header whose globals are made at the start of the program (CLI11's validators) makes them again: these
# are compiled as one, and the start is shorter by what it would cost each.
function(corral_as_one target)
  get_target_property(sources ${target} SOURCES)
  set(others ${sources})
  list(TRANSFORM ARGN PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ OUTPUT_VARIABLE together)
  list(REMOVE_ITEM others ${together})
  set_source_files_properties(${together} PROPERTIES UNITY_GROUP together)
  set(number 0)
  foreach(source IN LISTS others)
    math(EXPR batch "${number} / 8")
    set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${batch})
    math(EXPR number "${number} + 1")
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD_MODE GROUP)
endfunction()

# corral_module(NAME FOLDER [USES rooms...] [PRIVATE libraries...])
# Every .cpp directly in FOLDER. USES are the rooms it may include; PRIVATE libraries stay inside its .cpp files.
function(corral_module name folder)
  cmake_parse_arguments(arg "" "" "USES;PRIVATE" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cpp)
  if(sources)
    add_library(${name} STATIC ${sources})
    corral_unity(${name})
    target_link_libraries(${name} PUBLIC corral_flags ${arg_USES} PRIVATE ${arg_PRIVATE})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE corral_flags ${arg_USES})
  endif()
endfunction()

# What takes longest to read is read once for each target. Sources include what they need as if it were not; a build with
# -DCORRAL_PRECOMPILE=OFF shows whether they do.
option(CORRAL_PRECOMPILE "Precompile what takes longest to read" ON)
function(corral_precompile target)
  if(CORRAL_PRECOMPILE)
    target_precompile_headers(${target} PRIVATE ${ARGN})
  endif()
endfunction()

# corral_test(NAME LABEL FOLDER rooms...): one doctest executable of every .cpp in FOLDER, one ctest entry.
function(corral_test name label folder)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  corral_unity(${name})
  target_link_libraries(${name} PRIVATE ${ARGN} corral_test_main corral_flags)
  list(LENGTH sources count)
  if(count GREATER 2)
    corral_precompile(${name} <doctest/doctest.h> <string> <vector>)
  endif()
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT 900)
endfunction()

# corral_library(NAME HEADER sources...): a room as a library for other people's programs: one archive, which can also become
# part of a shared library, and one header, as corral::NAME and <corral/HEADER>. In here it is used under the same names.
function(corral_library name header)
  include(GNUInstallDirs)
  add_library(corral_${name} STATIC ${ARGN})
  add_library(corral::${name} ALIAS corral_${name})
  set_target_properties(corral_${name} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON)
  target_compile_features(corral_${name} INTERFACE cxx_std_20)
  # By value: a target that is linked would have to be installed too.
  foreach(what INCLUDE_DIRECTORIES COMPILE_OPTIONS COMPILE_DEFINITIONS)
    set_property(TARGET corral_${name} APPEND PROPERTY ${what} $<TARGET_PROPERTY:corral_language,INTERFACE_${what}>)
  endforeach()
  if(CORRAL_SANITIZE)
    target_link_options(corral_${name} INTERFACE -fsanitize=${CORRAL_SANITIZE})
  endif()
  get_filename_component(file ${header} NAME)
  configure_file(${CMAKE_SOURCE_DIR}/${header} ${CMAKE_BINARY_DIR}/include/corral/${file} COPYONLY)
  target_include_directories(corral_${name} SYSTEM INTERFACE
    $<BUILD_INTERFACE:${CMAKE_BINARY_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  install(TARGETS corral_${name} EXPORT corral ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${name})
  install(FILES ${CMAKE_SOURCE_DIR}/${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/corral COMPONENT ${name})
endfunction()

# The package that find_package(corral) finds.
function(corral_package component)
  include(CMakePackageConfigHelpers)
  write_basic_package_version_file(${CMAKE_BINARY_DIR}/corralConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  set(folder ${CMAKE_INSTALL_LIBDIR}/cmake/corral)
  install(EXPORT corral FILE corralConfig.cmake NAMESPACE corral:: DESTINATION ${folder} COMPONENT ${component})
  install(FILES ${CMAKE_BINARY_DIR}/corralConfigVersion.cmake DESTINATION ${folder} COMPONENT ${component})
endfunction()

# A page with its program, as one text in the binary: BASE.html with BASE_data.js and BASE_view.js in it.
function(corral_page name base)
  foreach(part .html _data.js _view.js)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${base}${part})
  endforeach()
  file(READ ${CMAKE_SOURCE_DIR}/${base}.html page)
  file(READ ${CMAKE_SOURCE_DIR}/${base}_data.js data)
  file(READ ${CMAKE_SOURCE_DIR}/${base}_view.js view)
  string(REPLACE "@DATA@" "${data}" page "${page}")
  string(REPLACE "@VIEW@" "${view}" page "${page}")
  get_filename_component(short ${base} NAME)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/${short}_page.cpp CONTENT "#include \"${base}_page.hpp\"

namespace corral::shell {

const std::string_view ${short}_page = R\"page(${page})page\";

}  // namespace corral::shell
" @ONLY)
  target_sources(${name} PRIVATE ${CMAKE_BINARY_DIR}/${short}_page.cpp)
endfunction()
