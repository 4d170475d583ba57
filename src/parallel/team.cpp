#include "team.hpp"

#include <omp.h>

namespace orchard::parallel {

void run_team(int n_threads, const std::function<void(int, int)>& body) {
#pragma omp parallel num_threads(n_threads)
  body(omp_get_thread_num(), omp_get_num_threads());
}

}  // namespace orchard::parallel
