#pragma once
// Predictions to a file, CSV or HDF5 by its name. Every rank encodes the rows that it predicted;
// rank 0 appends the pieces in order.

#include <memory>
#include <string>
#include <vector>

#include "orchard/model/ensemble.hpp"
#include "orchard/options/job.hpp"

namespace orchard::app {

struct PredictedModel {
  std::string name;
  options::Method method = options::Method::kPredict;
  model::Ensemble ensemble;
};

class PredictionOutput {
 public:
  virtual ~PredictionOutput() = default;
  /// `predictions`: as run::predict_rows gives them, one array a model. Local, any rank.
  virtual Bytes encode(const std::vector<std::vector<double>>& predictions, std::size_t n_rows) = 0;
  virtual void append(const Bytes& encoded) = 0;  ///< rank 0
  virtual void publish() = 0;                     ///< rank 0; the file appears whole
};

/// `is_writer`: this rank holds the file. Throws kOutput; kUsage for a name that ends neither in
/// .csv nor in .h5.
std::unique_ptr<PredictionOutput> make_prediction_output(const std::string& path,
                                                         const std::vector<PredictedModel>& models,
                                                         bool is_writer);

}  // namespace orchard::app
