// Tables in HDF5 files that are not ours: what InputFile must refuse, made with HDF5 itself.

#include "orchard/h5/input.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <functional>

#include "orchard/base/error.hpp"
#include "orchard/base/file.hpp"

namespace orchard::h5 {
namespace {

using ::testing::HasSubstr;

/// A file in the format that most programs write, and its end.
class InputFileTest : public ::testing::Test {
 protected:
  ~InputFileTest() override { std::filesystem::remove(path_); }

  void make(const std::function<void(hid_t)>& fill) const {
    const hid_t file = H5Fcreate(path_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    fill(file);
    H5Fclose(file);
  }

  /// A dataset x of 20 rows and 5 columns, filled with zeros unless it is stored elsewhere.
  static void add_matrix(hid_t file, hid_t type, hid_t creation, bool is_filled = true) {
    const std::array<hsize_t, 2> shape = {20, 5};
    const hid_t space = H5Screate_simple(2, shape.data(), nullptr);
    const hid_t dataset = H5Dcreate2(file, "x", type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    ASSERT_GE(dataset, 0);
    const std::vector<double> zeros(shape[0] * shape[1]);
    if (is_filled) {
      EXPECT_GE(H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, zeros.data()),
                0);
    }
    H5Dclose(dataset);
    H5Sclose(space);
  }

  static void add_compressed(hid_t file) {
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    const std::array<hsize_t, 2> chunk = {19, 3};
    H5Pset_chunk(creation, 2, chunk.data());
    H5Pset_deflate(creation, 1);
    add_matrix(file, H5T_IEEE_F32LE, creation);
    H5Pclose(creation);
  }

  std::string refusal() const {
    try {
      InputFile(path_).shape("x");
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kData);
      return error.what();
    }
    return "accepted";
  }

  const std::string path_ =
      ::testing::TempDir() + "orchard_input_" + std::to_string(::getpid()) + ".h5";
};

TEST_F(InputFileTest, CompressedChunksAreRead) {
  make(add_compressed);
  std::vector<float> block(6, 1.0F);
  InputFile(path_).read_block("x", 18, 20, 2, 5, block.data());
  EXPECT_THAT(block, ::testing::Each(0.0F));
}

TEST_F(InputFileTest, ADamagedShapeOfChunks) {
  make(add_compressed);
  Bytes bytes = read_file(path_);
  const std::array<unsigned char, 8> shape = {19, 0, 0, 0, 3, 0, 0, 0};
  const auto same = [](auto byte, unsigned char want) {
    return static_cast<unsigned char>(byte) == want;
  };
  const auto found = std::search(bytes.begin(), bytes.end(), shape.begin(), shape.end(), same);
  ASSERT_NE(found, bytes.end());
  reinterpret_cast<char&>(*(found + 6)) = 2;  // 3 becomes 131075
  std::ofstream(path_, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  EXPECT_THAT(refusal(), HasSubstr("has chunks of 131075 elements"));
}

TEST_F(InputFileTest, DataElsewhere) {
  make([](hid_t file) {
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(creation, "/etc/hostname", 0, 400);
    add_matrix(file, H5T_IEEE_F32LE, creation, false);
    H5Pclose(creation);
  });
  EXPECT_THAT(refusal(), HasSubstr("in another file"));
  make([](hid_t file) {
    const std::array<hsize_t, 2> shape = {20, 5};
    const hid_t space = H5Screate_simple(2, shape.data(), nullptr);
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_virtual(creation, space, "/etc/other.h5", "/y", space);
    add_matrix(file, H5T_IEEE_F32LE, creation, false);
    H5Pclose(creation);
    H5Sclose(space);
  });
  EXPECT_THAT(refusal(), HasSubstr("in another dataset"));
  make([](hid_t file) { H5Lcreate_soft("/y", file, "x", H5P_DEFAULT, H5P_DEFAULT); });
  EXPECT_THAT(refusal(), HasSubstr("soft or external link"));
}

TEST_F(InputFileTest, ElementsThatAreNoNumbers) {
  make([](hid_t file) { add_matrix(file, H5T_C_S1, H5P_DEFAULT, false); });
  EXPECT_THAT(refusal(), HasSubstr("holds no numbers"));
}

}  // namespace
}  // namespace orchard::h5
