// Reading EOS-1. The file is read into memory first, so that HDF5 neither locks nor re-reads it.
#include <fmt/format.h>
#include <hdf5.h>
#include <hdf5_hl.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <new>
#include <stdexcept>

#include "eos/core/error.hpp"
#include "eos/io/atomic_file.hpp"
#include "eos/io/hdf5.hpp"
#include "hdf5_handle.hpp"
#include "hdf5_parts.hpp"
#include "sweep_layout.hpp"

namespace eos::io {

using core::Dataset;
using core::Error;
using core::Variable;
using h5::check;
using h5::Handle;

namespace {

constexpr std::string_view k_bare_dimension = "This is a netCDF dimension but not a netCDF variable.";
constexpr std::string_view k_signature = "\x89HDF\r\n\x1a\n";
constexpr int k_deepest_group = 32;
constexpr std::size_t k_largest_ratio = 1100;  ///< deflate shrinks at most 1032-fold

/// Names of dimension scales by the address of their dataset.
using ScaleNames = std::map<haddr_t, std::string>;

struct Reading {
  std::size_t largest_bytes = 0;  ///< more than this cannot be in the file: a damaged size
  WantsValues wants = {};         ///< empty: all
};

[[noreturn]] void refuse(const std::string& why) { throw Error("E210", why); }

std::string read_text(hid_t attribute, hid_t stored) {
  if (H5Tis_variable_str(stored) <= 0) {
    std::string text(H5Tget_size(stored), '\0');
    check(H5Aread(attribute, stored, text.data()), "read an attribute");
    return text.substr(0, text.find('\0'));
  }
  char* pointer = nullptr;
  const hid_t type = h5::text_type();
  check(H5Aread(attribute, type, &pointer), "read an attribute");
  std::string text = pointer == nullptr ? "" : pointer;
  H5free_memory(pointer);
  return text;
}

/// Attributes that hold the tree together and say nothing about the data.
bool is_book_keeping(std::string_view name) {
  static constexpr std::string_view k_names[] = {"CLASS",          "NAME",          "REFERENCE_LIST",
                                                 "DIMENSION_LIST", "_Netcdf4Dimid", "_Netcdf4Coordinates"};
  return std::find(std::begin(k_names), std::end(k_names), name) != std::end(k_names);
}

herr_t read_attribute(hid_t object, const char* name, const H5A_info_t*, void* target) {
  if (is_book_keeping(name)) return 0;
  auto& attributes = *static_cast<std::map<std::string, core::Attribute>*>(target);
  const Handle attribute(H5Aopen(object, name, H5P_DEFAULT), H5Aclose, "open an attribute");
  const Handle space(H5Aget_space(attribute), H5Sclose, "open a space");
  const Handle type(H5Aget_type(attribute), H5Tclose, "open a type");
  if (H5Sget_simple_extent_npoints(space) != 1) return 0;  // lists are netCDF's own book-keeping
  switch (H5Tget_class(type)) {
    case H5T_STRING:
      attributes[name] = read_text(attribute, type);
      break;
    case H5T_FLOAT: {
      double value = 0;
      check(H5Aread(attribute, H5T_NATIVE_DOUBLE, &value), "read an attribute");
      attributes[name] = value;
      break;
    }
    case H5T_INTEGER: {
      std::int64_t value = 0;
      check(H5Aread(attribute, H5T_NATIVE_INT64, &value), "read an attribute");
      attributes[name] = value;
      break;
    }
    default:
      break;
  }
  return 0;
}

std::map<std::string, core::Attribute> read_attributes(hid_t object) {
  std::map<std::string, core::Attribute> attributes;
  // An exception may not cross the C library: it is carried around it.
  struct Carrier {
    std::map<std::string, core::Attribute>* target;
    std::exception_ptr failure;
  } carrier{&attributes, nullptr};
  const auto visit = [](hid_t place, const char* name, const H5A_info_t* info, void* data) -> herr_t {
    auto& c = *static_cast<Carrier*>(data);
    try {
      return read_attribute(place, name, info, c.target);
    } catch (...) {
      c.failure = std::current_exception();
      return -1;
    }
  };
  const herr_t result = H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_NATIVE, nullptr, visit, &carrier);
  if (carrier.failure) std::rethrow_exception(carrier.failure);
  check(result, "list attributes");
  return attributes;
}

std::vector<std::string> link_names(hid_t group) {
  std::vector<std::string> names;
  const auto visit = [](hid_t, const char* name, const H5L_info_t* info, void* target) -> herr_t {
    try {
      if (info->type == H5L_TYPE_HARD) static_cast<std::vector<std::string>*>(target)->emplace_back(name);
      return 0;
    } catch (...) {
      return -1;
    }
  };
  const Handle properties(H5Gget_create_plist(group), H5Pclose, "open properties");
  unsigned order = 0;
  check(H5Pget_link_creation_order(properties, &order), "read the link order");
  const H5_index_t index = (order & H5P_CRT_ORDER_TRACKED) != 0 ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
  check(H5Literate(group, index, H5_ITER_INC, nullptr, visit, &names), "list a group");
  return names;
}

haddr_t address_of(hid_t object) {
  H5O_info_t info;
  check(H5Oget_info2(object, &info, H5O_INFO_BASIC), "read an object's address");
  return info.addr;
}

std::vector<std::int64_t> shape_of(hid_t dataset, const std::string& name) {
  const Handle space(H5Dget_space(dataset), H5Sclose, "open a space");
  const int rank = H5Sget_simple_extent_ndims(space);
  if (rank < 0 || H5Sget_simple_extent_type(space) == H5S_NULL) refuse(fmt::format("variable '{}' has no shape", name));
  std::vector<hsize_t> shape(static_cast<std::size_t>(rank));
  check(H5Sget_simple_extent_dims(space, shape.data(), nullptr), "read a shape");
  return {shape.begin(), shape.end()};
}

/// Names of a variable's dimensions, from the references to their scales (attribute DIMENSION_LIST). An object
/// reference is the address of the object.
std::vector<std::string> dimension_names(hid_t dataset, std::size_t rank, const ScaleNames& scales,
                                         const std::string& variable) {
  if (rank == 0) return {};
  const auto fail = [&] { refuse(fmt::format("variable '{}' has a dimension without a scale", variable)); };
  if (H5Aexists(dataset, "DIMENSION_LIST") <= 0) fail();
  const Handle attribute(H5Aopen(dataset, "DIMENSION_LIST", H5P_DEFAULT), H5Aclose, "open an attribute");
  const Handle space(H5Aget_space(attribute), H5Sclose, "open a space");
  const Handle stored(H5Aget_type(attribute), H5Tclose, "open a type");
  if (H5Tget_class(stored) != H5T_VLEN || H5Sget_simple_extent_npoints(space) != static_cast<hssize_t>(rank)) fail();
  const Handle type(H5Tvlen_create(H5T_STD_REF_OBJ), H5Tclose, "create a type");
  std::vector<hvl_t> lists(rank, hvl_t{0, nullptr});
  check(H5Aread(attribute, type, lists.data()), "read a dimension");
  std::vector<std::string> names;
  for (const hvl_t& list : lists) {
    const auto known = list.len == 0 ? scales.end() : scales.find(*static_cast<const hobj_ref_t*>(list.p));
    names.push_back(known == scales.end() ? "" : known->second);
  }
  check(H5Dvlen_reclaim(type, space, H5P_DEFAULT, lists.data()), "release references");
  if (std::find(names.begin(), names.end(), "") != names.end()) fail();
  return names;
}

std::vector<std::string> read_texts(hid_t dataset, std::size_t size) {
  if (size == 0) return {};
  std::vector<char*> pointers(size, nullptr);
  const hid_t type = h5::text_type();
  const Handle space(H5Dget_space(dataset), H5Sclose, "open a space");
  check(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, pointers.data()), "read text");
  std::vector<std::string> texts(size);
  for (std::size_t i = 0; i < size; ++i)
    if (pointers[i] != nullptr) texts[i] = pointers[i];
  check(H5Dvlen_reclaim(type, space, H5P_DEFAULT, pointers.data()), "release text");
  return texts;
}

template <class T>
core::Array read_numbers(hid_t dataset, hid_t memory_type, std::size_t size) {
  std::vector<T> values(size);
  if (size > 0) check(H5Dread(dataset, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), "read numbers");
  return values;
}

core::Array read_stored(hid_t dataset, std::size_t size, const std::string& name) {
  const Handle type(H5Dget_type(dataset), H5Tclose, "open a type");
  const std::size_t bytes = H5Tget_size(type);
  switch (H5Tget_class(type)) {
    case H5T_STRING:
      if (H5Tis_variable_str(type) <= 0) break;
      return read_texts(dataset, size);
    case H5T_FLOAT:
      if (bytes == 8) return read_numbers<double>(dataset, H5T_NATIVE_DOUBLE, size);
      if (bytes == 4) return read_numbers<float>(dataset, H5T_NATIVE_FLOAT, size);
      break;
    case H5T_INTEGER: {
      const bool is_signed = H5Tget_sign(type) == H5T_SGN_2;
      if (is_signed && bytes == 8) return read_numbers<std::int64_t>(dataset, H5T_NATIVE_INT64, size);
      if (is_signed && bytes == 4) return read_numbers<std::int32_t>(dataset, H5T_NATIVE_INT32, size);
      if (!is_signed && bytes == 1) return read_numbers<std::uint8_t>(dataset, H5T_NATIVE_UINT8, size);
      break;
    }
    default:
      break;
  }
  refuse(fmt::format("variable '{}' has an element type that EOS-1 does not use", name));
}

std::string take_text(std::map<std::string, core::Attribute>& attributes, const std::string& name,
                      const std::string& fallback) {
  const auto found = attributes.find(name);
  if (found == attributes.end() || !std::holds_alternative<std::string>(found->second)) return fallback;
  std::string text = std::get<std::string>(found->second);
  attributes.erase(found);
  return text;
}

Variable read_variable(hid_t dataset, const std::string& name, std::vector<std::string> dims, const Reading& reading) {
  std::size_t size = 1;
  for (const std::int64_t length : shape_of(dataset, name)) {
    if (length < 0 || (length > 0 && size > reading.largest_bytes / static_cast<std::size_t>(length)))
      refuse(fmt::format("variable '{}' claims more values than the file can hold", name));
    size *= static_cast<std::size_t>(length);
  }
  Variable variable{name, std::move(dims), {}, "1", {}, read_attributes(dataset)};
  const bool wanted = !reading.wants || reading.wants(variable);
  variable.values = read_stored(dataset, wanted ? size : 0, name);
  variable.units = take_text(variable.attributes, "units", "1");
  variable.long_name = take_text(variable.attributes, "long_name", "");
  return variable;
}

/// The dimension that a dataset is the scale of: its own name; `bare` when it has no values.
bool is_bare_dimension(hid_t dataset) {
  char label[128] = {};
  return H5DSget_scale_name(dataset, label, sizeof label) > 0 && std::string_view(label).starts_with(k_bare_dimension);
}

void read_group(hid_t group, Dataset& data, ScaleNames scales, const Reading& reading, int depth) {
  if (depth > k_deepest_group) refuse("groups are nested too deeply");
  struct Member {
    std::string name;
    std::shared_ptr<Handle> object;
    bool scale = false;
  };
  std::vector<Member> variables, groups;
  for (const std::string& name : link_names(group)) {
    auto object = std::make_shared<Handle>(H5Oopen(group, name.c_str(), H5P_DEFAULT), H5Oclose, "open an object");
    const H5I_type_t kind = H5Iget_type(*object);
    if (kind == H5I_GROUP) groups.push_back({name, object});
    if (kind != H5I_DATASET) continue;
    const bool scale = H5DSis_scale(*object) > 0;
    if (scale) {
      const std::vector<std::int64_t> shape = shape_of(*object, name);
      if (shape.size() != 1) refuse(fmt::format("dimension '{}' is not one-dimensional", name));
      data.dims[name] = shape[0];
      scales[address_of(*object)] = name;
    }
    if (!scale || !is_bare_dimension(*object)) variables.push_back({name, object, scale});
  }
  for (const Member& v : variables) {
    std::vector<std::string> dims{v.name};
    if (!v.scale) dims = dimension_names(*v.object, shape_of(*v.object, v.name).size(), scales, v.name);
    data.variables.push_back(read_variable(*v.object, v.name, std::move(dims), reading));
  }
  for (const Member& g : groups) {
    Dataset& child = data.groups[g.name];
    child.attributes = read_attributes(*g.object);
    read_group(*g.object, child, scales, reading, depth + 1);
  }
}

Dataset read_root(hid_t file, const std::string& path, const Reading& reading) {
  const Handle root(H5Gopen2(file, "/", H5P_DEFAULT), H5Gclose, "open the root group");
  Dataset data;
  data.attributes = read_attributes(root);
  if (data.text("Conventions").find("EOS-1") == std::string::npos)
    refuse("it is an HDF5 file that eos did not write (the root attribute Conventions does not name EOS-1)");
  const std::string schema = data.text("eos_schema"), ours = k_schema_version;
  if (schema.substr(0, schema.find('.')) != ours.substr(0, ours.find('.')))
    throw Error("E212", fmt::format("'{}' has schema version '{}', this eos reads {}", path, schema, ours),
                fmt::format("it was written by {}", data.text("source", "another version of eos")));
  read_group(root, data, {}, reading, 0);
  return data;
}

Dataset read_image(const std::string& path, std::string& bytes) {
  if (std::string_view(bytes).substr(0, k_signature.size()) != k_signature) refuse("it is not an HDF5 file");
  const h5::Session session;
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "create properties");
  check(H5Pset_fapl_core(access, std::size_t{1} << 16, false), "choose the memory driver");
  check(H5Pset_file_image(access, bytes.data(), bytes.size()), "use the file's bytes");
  // The image's name must be one that no file can have.
  const Handle file(H5Fopen("/dev/null/eos-image", H5F_ACC_RDONLY, access), H5Fclose, "open the file");
  return read_root(file, path, Reading{bytes.size() * k_largest_ratio, {}});
}

}  // namespace

Dataset read_headers(hid_t file, const std::string& path, std::size_t file_bytes, const WantsValues& wants) {
  return read_root(file, path, Reading{file_bytes * k_largest_ratio, wants});
}

core::Array read_rows(hid_t dataset, const core::Array& like, std::size_t first, std::size_t rows,
                      std::size_t row_elements) {
  if (rows * row_elements == 0) return sweep::empty_like(like);
  const Handle file_space(H5Dget_space(dataset), H5Sclose, "open a space");
  const auto rank = static_cast<std::size_t>(std::max(0, H5Sget_simple_extent_ndims(file_space)));
  std::vector<hsize_t> start(rank, 0), count(rank);
  check(H5Sget_simple_extent_dims(file_space, count.data(), nullptr), "read a shape");
  if (rank == 0 || first + rows > count[0]) refuse("a variable has too few rows");
  start[0] = first, count[0] = rows;
  check(H5Sselect_hyperslab(file_space, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr), "select rows");
  const hsize_t size = rows * row_elements;
  const Handle memory_space(H5Screate_simple(1, &size, nullptr), H5Sclose, "create a space");
  core::Array values = like;
  std::visit(
      [&](auto& v) {
        v.resize(size);
        if constexpr (std::is_same_v<std::decay_t<decltype(v)>, std::vector<std::string>>) {
          std::vector<char*> pointers(size, nullptr);
          const hid_t type = h5::text_type();
          check(H5Dread(dataset, type, memory_space, file_space, H5P_DEFAULT, pointers.data()), "read text");
          for (std::size_t i = 0; i < size; ++i) v[i] = pointers[i] == nullptr ? "" : pointers[i];
          check(H5Dvlen_reclaim(type, memory_space, H5P_DEFAULT, pointers.data()), "release text");
        } else {
          check(H5Dread(dataset, number_type(like), memory_space, file_space, H5P_DEFAULT, v.data()), "read numbers");
        }
      },
      values);
  return values;
}

Dataset read_hdf5(const std::string& path) {
  std::error_code ignored;
  const bool device = std::filesystem::exists(path, ignored) && !std::filesystem::is_directory(path, ignored) &&
                      !std::filesystem::is_regular_file(path, ignored);
  if (device) throw Error("E210", fmt::format("'{}' is a device or a pipe, not a file", path));
  std::string bytes = read_file(path);
  const auto damaged = [&](const std::string& why) {
    return Error("E210", fmt::format("'{}' cannot be read: {}", path, why),
                 "check the path; if the file was copied, copy it again");
  };
  Dataset data;
  try {
    data = read_image(path, bytes);
  } catch (const Error& error) {
    if (error.diagnostics().front().code == "E212") throw;
    throw damaged(error.diagnostics().front().message);
  } catch (const std::bad_alloc&) {
    throw damaged("its sizes do not fit into memory");
  } catch (const std::length_error&) {
    throw damaged("its sizes make no sense");
  }
  const std::string stored = data.text("content_sha256");
  std::string computed;
  try {
    computed = core::content_sha256(data);
  } catch (const Error& error) {
    throw damaged(error.diagnostics().front().message);
  }
  if (stored != computed)
    throw Error("E211",
                fmt::format("the numbers in '{}' are not those that were written: stored hash {}, computed {}", path,
                            stored.empty() ? "none" : stored, computed),
                "make the file again, or restore it from a copy");
  return data;
}

}  // namespace eos::io
