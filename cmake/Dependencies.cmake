# Every library orchard uses, found once. A module names the imported target it needs.

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(MPI REQUIRED COMPONENTS C)
set(HDF5_PREFER_PARALLEL ON)
find_package(HDF5 REQUIRED COMPONENTS C)
if(NOT HDF5_IS_PARALLEL)
  message(FATAL_ERROR "orchard needs the parallel build of HDF5 (Debian: libhdf5-openmpi-dev)")
endif()
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(Boost 1.74 REQUIRED COMPONENTS program_options)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)

find_path(RANDOM123_INCLUDE_DIR Random123/philox.h REQUIRED)
find_path(XXHASH_INCLUDE_DIR xxhash.h REQUIRED)
find_library(XXHASH_LIBRARY xxhash REQUIRED)

add_library(orchard_mpi INTERFACE)
target_link_libraries(orchard_mpi INTERFACE MPI::MPI_C)
target_compile_definitions(orchard_mpi INTERFACE OMPI_SKIP_MPICXX MPICH_SKIP_MPICXX)

add_library(orchard_hdf5 INTERFACE)
target_include_directories(orchard_hdf5 SYSTEM INTERFACE ${HDF5_INCLUDE_DIRS})
target_link_libraries(orchard_hdf5 INTERFACE ${HDF5_C_LIBRARIES} MPI::MPI_C)

add_library(orchard_random123 INTERFACE)
target_include_directories(orchard_random123 SYSTEM INTERFACE ${RANDOM123_INCLUDE_DIR})

add_library(orchard_xxhash INTERFACE)
target_include_directories(orchard_xxhash SYSTEM INTERFACE ${XXHASH_INCLUDE_DIR})
target_link_libraries(orchard_xxhash INTERFACE ${XXHASH_LIBRARY})
