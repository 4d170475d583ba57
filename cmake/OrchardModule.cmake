# Flags that every target shares. Results must be the same bits on every machine: no contraction
# into fused operations, no fast-math, x86-64-v2 as the base with run-time dispatch above it.
# Nobody looks at floating-point exceptions: what raises them may be computed ahead of a condition,
# without which GCC makes no vectors of it below AVX-512.
# -Wno-restrict: GCC 12 reports std::string's operator+ falsely (GCC bug 105651).
add_library(orchard_flags INTERFACE)
target_include_directories(orchard_flags INTERFACE ${CMAKE_SOURCE_DIR}/include)
target_compile_options(orchard_flags INTERFACE
  -ffp-contract=off -fno-trapping-math -Wall -Wextra -Wno-restrict -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wundef
  $<$<BOOL:${ORCHARD_WARNINGS_AS_ERRORS}>:-Werror>)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_compile_options(orchard_flags INTERFACE -march=x86-64-v2)
endif()
if(ORCHARD_SANITIZE)
  target_compile_options(orchard_flags INTERFACE -fsanitize=address,undefined
                         -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(orchard_flags INTERFACE -fsanitize=address,undefined)
endif()

# orchard_module(NAME SOURCES a.cpp ... DEPENDS orchard_base ... PRIVATE_DEPENDS fmt::fmt ...)
# A module is one folder, one static library orchard_NAME, one layer.
function(orchard_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  add_library(orchard_${name} STATIC ${ARG_SOURCES})
  target_link_libraries(orchard_${name} PUBLIC orchard_flags ${ARG_DEPENDS}
                        PRIVATE ${ARG_PRIVATE_DEPENDS})
  target_include_directories(orchard_${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
endfunction()
