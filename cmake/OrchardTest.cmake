find_package(GTest REQUIRED)
include(GoogleTest)

set(ORCHARD_TEST_ENVIRONMENT OMP_WAIT_POLICY=passive)
# What every MPI test needs besides; MPI libraries keep memory until the end on purpose.
set(ORCHARD_MPI_TEST_ENVIRONMENT ${ORCHARD_TEST_ENVIRONMENT} OMPI_ALLOW_RUN_AS_ROOT=1
    OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 ASAN_OPTIONS=detect_leaks=0)

# orchard_test(NAME SOURCES a_test.cpp ... DEPENDS orchard_base ... [TIMEOUT seconds])
# One test program a module, run as one ctest entry, with a hard time limit: a hang is a failure.
function(orchard_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;DEPENDS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} GTest::gmock GTest::gtest GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS unit
                       ENVIRONMENT "${ORCHARD_TEST_ENVIRONMENT}")
endfunction()

# Ranks share the cores of a test machine and must not be bound to one each. Other launchers than
# Open MPI's know neither option.
if(NOT DEFINED ORCHARD_MPIEXEC_FLAGS)
  execute_process(COMMAND ${MPIEXEC_EXECUTABLE} --version OUTPUT_VARIABLE version ERROR_QUIET)
  if(version MATCHES "Open MPI|OpenRTE|PRTE")
    set(flags --oversubscribe --bind-to none)
  endif()
  set(ORCHARD_MPIEXEC_FLAGS "${flags}" CACHE STRING "Options of mpiexec for tests")
endif()

# orchard_mpi_command(VARIABLE RANKS PROGRAM [ARGS...]): the command line that starts the ranks.
function(orchard_mpi_command variable n_ranks program)
  set(${variable} ${MPIEXEC_EXECUTABLE} ${ORCHARD_MPIEXEC_FLAGS} ${MPIEXEC_NUMPROC_FLAG} ${n_ranks}
      ${program} ${ARGN} PARENT_SCOPE)
endfunction()

# orchard_mpi_test_properties(NAME RANKS TIMEOUT [ENVIRONMENT...]): of any test that starts ranks.
function(orchard_mpi_test_properties name n_ranks timeout)
  set_tests_properties(${name} PROPERTIES TIMEOUT ${timeout} LABELS mpi PROCESSORS ${n_ranks}
    ENVIRONMENT "${ORCHARD_MPI_TEST_ENVIRONMENT};${ARGN}")
endfunction()

# orchard_mpi_test(NAME RANKS 1 2 ... SOURCES a_test.cpp ... DEPENDS orchard_comm ...
#                  [TIMEOUT seconds] [ENVIRONMENT A=b ...])
# One GoogleTest program run by mpirun, as one ctest entry NAME_<ranks> for each rank count. Tests
# get all ranks by orchard::testing::mpi_world() (tests/support/mpi_world.hpp). Without SOURCES the
# program of an earlier call is run again: orchard_mpi_test(NAME PROGRAM other ...).
function(orchard_mpi_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT;PROGRAM" "RANKS;SOURCES;DEPENDS;ENVIRONMENT" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  if(NOT ARG_PROGRAM)
    set(ARG_PROGRAM ${name})
    add_executable(${name} ${ARG_SOURCES} ${PROJECT_SOURCE_DIR}/tests/support/main_mpi.cpp)
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/support)
    target_link_libraries(${name} PRIVATE orchard_comm ${ARG_DEPENDS} GTest::gmock GTest::gtest)
  endif()
  foreach(n_ranks IN LISTS ARG_RANKS)
    orchard_mpi_command(command ${n_ranks} $<TARGET_FILE:${ARG_PROGRAM}>)
    add_test(NAME ${name}_${n_ranks} COMMAND ${command})
    orchard_mpi_test_properties(${name}_${n_ranks} ${n_ranks} ${ARG_TIMEOUT} ${ARG_ENVIRONMENT})
  endforeach()
endfunction()
