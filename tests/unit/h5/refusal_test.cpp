// Files that HDF5 would read without a word and that orchard must refuse, made with HDF5 itself.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>
#include <unistd.h>

#include <filesystem>
#include <functional>

#include "orchard/base/error.hpp"
#include "orchard/base/file.hpp"
#include "orchard/h5/builder.hpp"
#include "orchard/h5/reader.hpp"

namespace orchard::h5 {
namespace {

using ::testing::HasSubstr;

/// Bytes of a plain HDF5 file that `fill` wrote.
Bytes file_with(const std::function<void(hid_t)>& fill, H5F_libver_t low = H5F_LIBVER_LATEST) {
  const std::string path =
      ::testing::TempDir() + "orchard_refusal_" + std::to_string(::getpid()) + ".h5";
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_libver_bounds(access, low, H5F_LIBVER_LATEST);
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access);
  H5Pclose(access);
  fill(file);
  H5Fclose(file);
  Bytes bytes = read_file(path);
  std::filesystem::remove(path);
  return bytes;
}

hid_t make_dataset(hid_t file, hid_t type, std::vector<hsize_t> shape, hid_t creation) {
  const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
  const hid_t dataset = H5Dcreate2(file, "x", type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  H5Sclose(space);
  EXPECT_GE(dataset, 0);
  H5Dclose(dataset);
  return dataset;
}

std::string refusal(const Bytes& bytes) {
  try {
    const Reader reader(bytes, "crafted.h5");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kData);
    return error.what();
  }
  return "accepted";
}

TEST(RefusalTest, PlainFilesAreAccepted) {
  EXPECT_EQ(refusal(file_with([](hid_t file) {
              make_dataset(file, H5T_STD_I32LE, {4, 2}, H5P_DEFAULT);
            })),
            "accepted");
}

TEST(RefusalTest, SoftAndExternalLinks) {
  EXPECT_THAT(refusal(file_with([](hid_t file) {
                H5Lcreate_soft("/elsewhere", file, "x", H5P_DEFAULT, H5P_DEFAULT);
              })),
              HasSubstr("crafted.h5: /x: is a soft or external link"));
  EXPECT_THAT(refusal(file_with([](hid_t file) {
                H5Lcreate_external("/etc/other.h5", "/y", file, "x", H5P_DEFAULT, H5P_DEFAULT);
              })),
              HasSubstr("/x: is a soft or external link"));
}

TEST(RefusalTest, CyclesOfHardLinks) {
  EXPECT_THAT(refusal(file_with([](hid_t file) {
                H5Lcreate_hard(file, "/", file, "x", H5P_DEFAULT, H5P_DEFAULT);
              })),
              HasSubstr("nested deeper than"));
}

TEST(RefusalTest, GroupsWhoseLinksAreOutsideTheirHeader) {
  const auto fill = [](hid_t file) { make_dataset(file, H5T_STD_I32LE, {4}, H5P_DEFAULT); };
  EXPECT_THAT(refusal(file_with(fill, H5F_LIBVER_EARLIEST)),
              HasSubstr("crafted.h5: /: keeps its links in a form"));
  EXPECT_THAT(refusal(file_with([](hid_t file) {
                for (int i = 0; i < 20; ++i) {
                  H5Gclose(H5Gcreate2(file, std::to_string(i).c_str(), H5P_DEFAULT, H5P_DEFAULT,
                                      H5P_DEFAULT));
                }
              })),
              HasSubstr("keeps its links in a form"));
}

TEST(RefusalTest, StorageElsewhere) {
  EXPECT_THAT(refusal(file_with([](hid_t file) {
                const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
                H5Pset_external(creation, "/etc/hostname", 0, 16);
                make_dataset(file, H5T_STD_I32LE, {4}, creation);
                H5Pclose(creation);
              })),
              HasSubstr("stored in another file"));
  EXPECT_THAT(refusal(file_with([](hid_t file) {
                const hsize_t extent = 4;
                const hid_t space = H5Screate_simple(1, &extent, nullptr);
                const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
                H5Pset_virtual(creation, space, "/etc/other.h5", "/y", space);
                make_dataset(file, H5T_STD_I32LE, {4}, creation);
                H5Pclose(creation);
                H5Sclose(space);
              })),
              HasSubstr("virtual"));
}

TEST(RefusalTest, FiltersOtherThanFletcher32) {
  EXPECT_THAT(refusal(file_with([](hid_t file) {
                const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
                const hsize_t chunk = 4;
                H5Pset_chunk(creation, 1, &chunk);
                H5Pset_deflate(creation, 1);
                make_dataset(file, H5T_STD_I32LE, {4}, creation);
                H5Pclose(creation);
              })),
              HasSubstr("needs filter 1"));
}

TEST(RefusalTest, SizesBeyondTheFile) {
  const auto huge = [](std::vector<hsize_t> shape) {
    return refusal(file_with([&](hid_t file) {
      const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
      const std::vector<hsize_t> chunk(shape.size(), 16);
      H5Pset_chunk(creation, static_cast<int>(shape.size()), chunk.data());
      make_dataset(file, H5T_STD_I64LE, shape, creation);
      H5Pclose(creation);
    }));
  };
  EXPECT_THAT(huge({hsize_t{1} << 30}), HasSubstr("more than the file holds"));
  EXPECT_THAT(huge({hsize_t{1} << 62}), HasSubstr("more than the file holds"));
  EXPECT_THAT(huge({hsize_t{1} << 31, hsize_t{1} << 30}), HasSubstr("more than the file holds"));
  EXPECT_THAT(huge({100, 100}), HasSubstr("more than the file holds"));
}

TEST(RefusalTest, TypesAndShapesThatAreNeverWritten) {
  for (const hid_t type : {H5T_STD_I32BE, H5T_STD_I16LE, H5T_IEEE_F64BE, H5T_C_S1}) {
    EXPECT_THAT(refusal(file_with([&](hid_t file) { make_dataset(file, type, {4}, H5P_DEFAULT); })),
                HasSubstr("of a type that orchard never writes"));
  }
  EXPECT_THAT(refusal(file_with([](hid_t file) {
                make_dataset(file, H5T_STD_I32LE, {2, 2, 2}, H5P_DEFAULT);
              })),
              HasSubstr("has 3 dimensions"));
}

TEST(RefusalTest, WhatIsNotHdf5) {
  EXPECT_THAT(refusal({}), HasSubstr("is empty"));
  EXPECT_THAT(refusal(Bytes(5000, std::byte{'x'})), HasSubstr("crafted.h5: HDF5: "));
}

TEST(RefusalTest, ReadingSomethingElseThanIsThere) {
  Builder builder;
  builder.make_group("/g");
  builder.write("/x", std::vector<std::int32_t>{1, 2, 3});
  builder.set_attribute("/x", "n", std::int64_t{1});
  const Image image = builder.finish();
  const Reader reader(image.bytes(), "f.h5");
  const auto message = [](const std::function<void()>& call) -> std::string {
    try {
      call();
    } catch (const Error& error) {
      return error.what();
    }
    return "none";
  };
  EXPECT_EQ(message([&] { reader.read<std::int32_t>("/y"); }), "f.h5: /y: is absent");
  EXPECT_EQ(message([&] { reader.read<std::int32_t>("/g"); }),
            "f.h5: /g: is a group, expected a dataset");
  EXPECT_EQ(message([&] { reader.read<float>("/x"); }),
            "f.h5: /x: has elements of type int32, expected float");
  EXPECT_EQ(message([&] { reader.read<std::int32_t>("/x", 4); }),
            "f.h5: /x: has 3 values, expected 4");
  EXPECT_EQ(message([&] { reader.text_attribute("/x", "n"); }), "f.h5: /x@n: is not a text");
  EXPECT_EQ(message([&] { reader.int_attribute("/x", "m"); }), "f.h5: /x@m: is absent");
}

TEST(RefusalTest, OffsetsThatDoNotFit) {
  Builder builder;
  builder.make_group("/texts");
  builder.write("/texts/bytes", std::vector<std::uint8_t>(10));
  builder.write("/texts/offsets", std::vector<std::uint64_t>{0, 8, 4, 10});
  const Image image = builder.finish();
  EXPECT_THROW(Reader(image.bytes(), "x").read_strings("/texts"), Error);
  const Reader reader(image.bytes(), "x");
  using Offsets = std::vector<std::uint64_t>;
  EXPECT_EQ(check_offsets(reader, "/o", Offsets{0, 2, 2, 5}, 5), 3u);
  EXPECT_EQ(check_offsets(reader, "/o", Offsets{0}, 0), 0u);
  for (const auto& bad :
       {Offsets{}, Offsets{1, 5}, Offsets{0, 6}, Offsets{0, 4}, Offsets{0, 3, 2, 5}}) {
    EXPECT_THROW(check_offsets(reader, "/o", bad, 5), Error);
  }
}

}  // namespace
}  // namespace orchard::h5
