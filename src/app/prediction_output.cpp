#include "prediction_output.hpp"

#include "orchard/base/bytes.hpp"
#include "orchard/base/file.hpp"
#include "orchard/base/text.hpp"
#include "orchard/store/prediction_file.hpp"

namespace orchard::app {
namespace {

bool is_classifier(const PredictedModel& model) {
  return model.ensemble.schema.task == Task::kClassification;
}

/// predict_proba of a regressor is a contradiction; everything else is fine.
void check_methods(const std::vector<PredictedModel>& models) {
  for (const auto& model : models) {
    if (model.method == options::Method::kPredictProba && !is_classifier(model)) {
      throw Error(ErrorKind::kUsage,
                  format("method = predict_proba, but {} is a regressor", model.ensemble.estimator),
                  "model." + model.name, "Use method = predict.");
    }
  }
}

std::size_t predicted_class(const PredictedModel& model, const std::vector<double>& predictions,
                            std::size_t row) {
  const auto n_classes = model.ensemble.schema.n_classes();
  return model::most_probable(std::span(predictions).subspan(row * n_classes, n_classes));
}

/// One line a row: a column for a `predict`, one for each class of a `predict_proba`.
class CsvOutput : public PredictionOutput {
 public:
  CsvOutput(const std::string& path, const std::vector<PredictedModel>& models, bool is_writer)
      : models_(models) {
    if (!is_writer) return;
    file_ = std::make_unique<AtomicFile>(path);
    file_->write(header());
  }

  Bytes encode(const std::vector<std::vector<double>>& predictions, std::size_t n_rows) override {
    std::string text;
    for (std::size_t row = 0; row < n_rows; ++row) {
      for (std::size_t i = 0; i < models_.size(); ++i) {
        if (i > 0) text += ',';
        append_cells(text, models_[i], predictions[i], row);
      }
      text += '\n';
    }
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
  }
  void append(const Bytes& encoded) override { file_->write(ByteSpan(encoded)); }
  void publish() override { file_->publish(); }

 private:
  std::string header() const {
    std::vector<std::string> names;
    for (const auto& model : models_) {
      if (model.method == options::Method::kPredict) {
        names.push_back(csv_field(model.name));
        continue;
      }
      for (const auto& label : model.ensemble.schema.classes) {
        names.push_back(csv_field(model.name + ":" + label));
      }
    }
    return join(names, ",") + "\n";
  }

  static void append_cells(std::string& text, const PredictedModel& model,
                           const std::vector<double>& predictions, std::size_t row) {
    if (!is_classifier(model)) {
      text += print_double(predictions[row]);
    } else if (model.method == options::Method::kPredict) {
      text += csv_field(model.ensemble.schema.classes[predicted_class(model, predictions, row)]);
    } else {
      const auto n_classes = model.ensemble.schema.n_classes();
      for (std::size_t label = 0; label < n_classes; ++label) {
        if (label > 0) text += ',';
        text += print_double(predictions[row * n_classes + label]);
      }
    }
  }

  const std::vector<PredictedModel>& models_;
  std::unique_ptr<AtomicFile> file_;
};

class Hdf5Output : public PredictionOutput {
 public:
  Hdf5Output(const std::string& path, const std::vector<PredictedModel>& models)
      : path_(path), models_(models), columns_(models.size()) {
    for (std::size_t i = 0; i < models.size(); ++i) {
      columns_[i].name = models[i].name;
      columns_[i].classes = models[i].ensemble.schema.classes;
      columns_[i].is_probability = models[i].method == options::Method::kPredictProba;
    }
  }

  Bytes encode(const std::vector<std::vector<double>>& predictions, std::size_t n_rows) override {
    ByteWriter writer;
    for (std::size_t i = 0; i < models_.size(); ++i) {
      if (!is_classifier(models_[i]) || columns_[i].is_probability) {
        writer.put(predictions[i]);
        continue;
      }
      std::vector<double> labels(n_rows);
      for (std::size_t row = 0; row < n_rows; ++row) {
        labels[row] = static_cast<double>(predicted_class(models_[i], predictions[i], row));
      }
      writer.put(labels);
    }
    return writer.take();
  }
  void append(const Bytes& encoded) override {
    ByteReader reader(encoded);
    for (auto& column : columns_) {
      const auto values = reader.get_vector<double>();
      column.values.insert(column.values.end(), values.begin(), values.end());
    }
  }
  void publish() override { store::save_predictions(path_, columns_); }

 private:
  std::string path_;
  const std::vector<PredictedModel>& models_;
  std::vector<store::PredictedColumn> columns_;
};

}  // namespace

std::unique_ptr<PredictionOutput> make_prediction_output(const std::string& path,
                                                         const std::vector<PredictedModel>& models,
                                                         bool is_writer) {
  check_methods(models);
  if (path.ends_with(".csv")) return std::make_unique<CsvOutput>(path, models, is_writer);
  if (path.ends_with(".h5")) return std::make_unique<Hdf5Output>(path, models);
  throw Error(ErrorKind::kUsage, "predictions are written as .csv or .h5", path,
              "Name the file accordingly in [output] predictions.");
}

}  // namespace orchard::app
