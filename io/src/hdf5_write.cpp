// Writing EOS-1: the file is built in memory (HDF5's core driver) and then published atomically, so that a full disk is
// our own, clean error and never leaves HDF5 with a half-flushed file it cannot close.
#include <fmt/format.h>
#include <hdf5.h>
#include <hdf5_hl.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <map>
#include <memory>

#include "eos/core/error.hpp"
#include "eos/core/utf8.hpp"
#include "eos/io/atomic_file.hpp"
#include "eos/io/hdf5.hpp"
#include "hdf5_handle.hpp"
#include "hdf5_parts.hpp"

namespace eos::io {

using core::Attribute;
using core::Dataset;
using core::Error;
using core::Variable;
using h5::check;
using h5::Handle;

namespace {

constexpr std::size_t k_contiguous_bytes = 4096;  ///< below it chunks and checksums cost more than they give
constexpr std::size_t k_chunk_bytes = std::size_t{1} << 20;

/// A variable along a dimension, as the scale lists it.
struct Attached {
  hobj_ref_t variable;
  unsigned axis;
};

/// A dimension scale that a group or one of its parents owns.
struct Scale {
  std::int64_t length = 0;
  std::shared_ptr<Handle> dataset;
  std::shared_ptr<std::vector<Attached>> attached = std::make_shared<std::vector<Attached>>();
};
using Scales = std::map<std::string, Scale>;

/// Letters, digits and underscores, and none of the names that HDF5, netCDF-4 or Variable itself give a meaning.
bool is_attribute_name(const std::string& name) {
  static constexpr std::string_view k_reserved[] = {"units", "long_name",      "CLASS",
                                                    "NAME",  "REFERENCE_LIST", "DIMENSION_LIST"};
  const auto fits = [](unsigned char c) { return c < 0x80 && (std::isalnum(c) != 0 || c == '_'); };
  return !name.empty() && name[0] != '_' && std::all_of(name.begin(), name.end(), fits) &&
         std::find(std::begin(k_reserved), std::end(k_reserved), name) == std::end(k_reserved);
}

void write_attribute(hid_t object, const std::string& name, const Attribute& value) {
  static const Handle space(H5Screate(H5S_SCALAR), H5Sclose, "create a scalar space");
  const auto store = [&](hid_t file_type, hid_t memory_type, const void* data) {
    const Handle attribute(H5Acreate2(object, name.c_str(), file_type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
                           "create an attribute");
    check(H5Awrite(attribute, memory_type, data), "write an attribute");
  };
  if (const auto* text = std::get_if<std::string>(&value)) {
    const std::string clean = core::to_valid_utf8(*text);
    const char* pointer = clean.c_str();
    const hid_t type = h5::text_type();
    store(type, type, &pointer);
  } else if (const auto* number = std::get_if<double>(&value)) {
    store(H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, number);
  } else {
    store(H5T_STD_I64LE, H5T_NATIVE_INT64, &std::get<std::int64_t>(value));
  }
}

void write_attributes(hid_t object, const std::map<std::string, Attribute>& attributes) {
  for (const auto& [name, value] : attributes) {
    if (!is_attribute_name(name)) throw Error("E190", fmt::format("'{}' cannot be the name of an attribute", name));
    write_attribute(object, name, value);
  }
}

/// File and memory type of each alternative of core::Array but text, in its order.
std::pair<hid_t, hid_t> number_types(const core::Array& values) {
  switch (values.index()) {
    case 0:
      return {H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE};
    case 1:
      return {H5T_IEEE_F32LE, H5T_NATIVE_FLOAT};
    case 2:
      return {H5T_STD_I64LE, H5T_NATIVE_INT64};
    case 3:
      return {H5T_STD_I32LE, H5T_NATIVE_INT32};
    default:
      return {H5T_STD_U8LE, H5T_NATIVE_UINT8};
  }
}

/// How arrays are laid down; reserve: those without values get their place and are written later.
struct Laying {
  Storage storage = Storage::compressed;
  bool reserve = false;
};

/// Chunks run along the last dimensions and hold at most about a megabyte.
std::vector<hsize_t> chunk_shape(const std::vector<hsize_t>& shape, std::size_t element_bytes) {
  std::vector<hsize_t> chunk(shape.size(), 1);
  hsize_t room = std::max<hsize_t>(1, k_chunk_bytes / element_bytes);
  for (std::size_t i = shape.size(); i-- > 0 && room > 1;) {
    chunk[i] = std::min(shape[i], room);
    room /= chunk[i];
  }
  return chunk;
}

Handle creation_properties(const std::vector<hsize_t>& shape, std::size_t elements, std::size_t element_bytes,
                           Laying laying) {
  Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "create properties");
  check(H5Pset_obj_track_times(properties, false), "switch object times off");
  check(H5Pset_attr_creation_order(properties, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED), "track order");
  if (laying.reserve) {
    check(H5Pset_alloc_time(properties, H5D_ALLOC_TIME_EARLY), "reserve space");
    check(H5Pset_fill_time(properties, H5D_FILL_TIME_NEVER), "reserve space");
  }
  if (laying.storage == Storage::contiguous || shape.empty() || elements * element_bytes <= k_contiguous_bytes)
    return properties;
  const std::vector<hsize_t> chunk = chunk_shape(shape, element_bytes);
  check(H5Pset_chunk(properties, static_cast<int>(chunk.size()), chunk.data()), "set chunks");
  if (element_bytes > 1) check(H5Pset_shuffle(properties), "set the shuffle filter");
  check(H5Pset_deflate(properties, 4), "set compression");
  check(H5Pset_fletcher32(properties), "set the checksum filter");
  return properties;
}

Handle make_space(const std::vector<hsize_t>& shape) {
  if (shape.empty()) return Handle(H5Screate(H5S_SCALAR), H5Sclose, "create a scalar space");
  return Handle(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), H5Sclose, "create a space");
}

void write_values(hid_t dataset, const core::Array& values) {
  if (const auto* text = std::get_if<std::vector<std::string>>(&values)) {
    std::vector<const char*> pointers;
    for (const std::string& s : *text) pointers.push_back(s.c_str());
    const hid_t type = h5::text_type();
    check(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, pointers.data()), "write text");
    return;
  }
  std::visit(
      [&](const auto& v) {
        check(H5Dwrite(dataset, number_types(values).second, H5S_ALL, H5S_ALL, H5P_DEFAULT, v.data()), "write numbers");
      },
      values);
}

/// Units that xarray would silently turn into dates or time differences.
bool looks_like_time(const std::string& units) {
  static constexpr std::string_view k_words[] = {"days",         "hours",        "minutes",    "seconds",
                                                 "milliseconds", "microseconds", "nanoseconds"};
  return units.find(" since ") != std::string::npos ||
         std::find(std::begin(k_words), std::end(k_words), units) != std::end(k_words);
}

void check_variable(const Variable& variable, const Scales& scales, bool reserve) {
  const auto wrong = [&](const std::string& why) {
    return Error("E190", fmt::format("variable '{}' cannot be stored: {}", variable.name, why));
  };
  if (!core::is_name(variable.name)) throw wrong("its name is not of the form [a-z][a-z0-9_]*");
  if (looks_like_time(variable.units))
    throw wrong(fmt::format("write the units '{}' as a symbol: s, ms", variable.units));
  std::size_t expected = 1;
  for (const std::string& dim : variable.dims) {
    const auto found = scales.find(dim);
    if (found == scales.end()) throw wrong(fmt::format("dimension '{}' is not defined", dim));
    if (std::count(variable.dims.begin(), variable.dims.end(), dim) > 1)
      throw wrong(fmt::format("dimension '{}' is used twice", dim));
    expected *= static_cast<std::size_t>(found->second.length);
  }
  if (scales.count(variable.name) != 0 && variable.dims != std::vector<std::string>{variable.name})
    throw wrong("it has the name of a dimension but is not its coordinate");
  if (expected != core::array_size(variable.values) && !(reserve && core::array_size(variable.values) == 0))
    throw wrong(
        fmt::format("it has {} values, its dimensions ask for {}", core::array_size(variable.values), expected));
  if (const auto* text = std::get_if<std::vector<std::string>>(&variable.values))
    for (const std::string& s : *text)
      if (s.find('\0') != std::string::npos || !core::is_valid_utf8(s)) throw wrong("a text is not valid UTF-8");
}

Handle write_variable(hid_t group, const Variable& variable, const Scales& scales, Laying laying) {
  check_variable(variable, scales, laying.reserve);
  std::vector<hsize_t> shape;
  for (const std::string& dim : variable.dims) shape.push_back(static_cast<hsize_t>(scales.at(dim).length));
  const bool is_text = std::holds_alternative<std::vector<std::string>>(variable.values);
  const std::size_t elements = core::array_size(variable.values);
  const hid_t type = is_text ? h5::text_type() : number_types(variable.values).first;
  if (is_text) laying = {Storage::contiguous, false};
  if (elements > 0) laying.reserve = false;
  const Handle properties = creation_properties(shape, elements, H5Tget_size(type), laying);
  const Handle space = make_space(shape);
  Handle dataset(H5Dcreate2(group, variable.name.c_str(), type, space, H5P_DEFAULT, properties, H5P_DEFAULT), H5Dclose,
                 "create a variable");
  if (elements > 0) write_values(dataset, variable.values);
  write_attribute(dataset, "units", variable.units);
  write_attribute(dataset, "long_name", variable.long_name);
  write_attributes(dataset, variable.attributes);
  return dataset;
}

/// A dimension without coordinate values, as netCDF-4 marks it: readers see the dimension and no variable.
Handle write_bare_dimension(hid_t group, const std::string& name, std::int64_t length) {
  const std::vector<hsize_t> shape{static_cast<hsize_t>(length)};
  const Handle properties = creation_properties(shape, 0, 4, {Storage::contiguous});
  const Handle space = make_space(shape);
  Handle dataset(H5Dcreate2(group, name.c_str(), H5T_IEEE_F32BE, space, H5P_DEFAULT, properties, H5P_DEFAULT), H5Dclose,
                 "create a dimension");
  const std::string label = fmt::format("This is a netCDF dimension but not a netCDF variable.{:10d}", length);
  check(H5DSset_scale(dataset, label.c_str()), "make a dimension scale");
  return dataset;
}

hobj_ref_t reference_to(hid_t object) {
  hobj_ref_t reference = 0;
  check(H5Rcreate(&reference, object, ".", H5R_OBJECT, -1), "refer to a variable");
  return reference;
}

// What H5DSattach_scale writes (HDF5 dimension scale specification), but each list once and not again for every
// variable, which took most of the time of writing a file of many variables.

/// The scales of a variable's dimensions.
void write_dimension_list(hid_t dataset, const Variable& variable, const Scales& scales) {
  std::vector<hobj_ref_t> references;
  for (const std::string& dim : variable.dims) references.push_back(reference_to(*scales.at(dim).dataset));
  std::vector<hvl_t> lists;
  for (hobj_ref_t& reference : references) lists.push_back({1, &reference});
  const Handle type(H5Tvlen_create(H5T_STD_REF_OBJ), H5Tclose, "create a type");
  const Handle space = make_space({lists.size()});
  const Handle attribute(H5Acreate2(dataset, "DIMENSION_LIST", type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
                         "attach dimension scales");
  check(H5Awrite(attribute, type, lists.data()), "attach dimension scales");
}

/// The variables along a dimension.
void write_reference_list(const Scale& scale) {
  if (scale.attached->empty()) return;
  const Handle type(H5Tcreate(H5T_COMPOUND, sizeof(Attached)), H5Tclose, "create a type");
  check(H5Tinsert(type, "dataset", offsetof(Attached, variable), H5T_STD_REF_OBJ), "create a type");
  check(H5Tinsert(type, "dimension", offsetof(Attached, axis), H5T_NATIVE_INT), "create a type");
  const Handle space = make_space({scale.attached->size()});
  const Handle attribute(H5Acreate2(*scale.dataset, "REFERENCE_LIST", type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
                         "attach dimension scales");
  check(H5Awrite(attribute, type, scale.attached->data()), "attach dimension scales");
}

void write_group(hid_t group, const Dataset& data, Scales scales, Laying laying) {
  for (const auto& [name, length] : data.dims) {
    if (!core::is_name(name) || length < 0)
      throw Error("E190", fmt::format("dimension '{}' of length {} cannot be stored", name, length));
    if (scales.count(name) != 0)
      throw Error("E190", fmt::format("a group redefines the dimension '{}' of its parent", name),
                  "use the parent's dimension, or another name");
    scales[name].length = length;
    if (!data.has(name)) scales[name].dataset = std::make_shared<Handle>(write_bare_dimension(group, name, length));
  }
  std::vector<std::shared_ptr<Handle>> written;
  for (const Variable& variable : data.variables) {
    written.push_back(std::make_shared<Handle>(write_variable(group, variable, scales, laying)));
    if (data.dims.count(variable.name) == 0) continue;
    check(H5DSset_scale(*written.back(), variable.name.c_str()), "make a dimension scale");
    scales[variable.name].dataset = written.back();
  }
  for (std::size_t i = 0; i < written.size(); ++i) {
    const Variable& variable = data.variables[i];
    if (data.dims.count(variable.name) != 0) continue;  // a scale is not attached to itself
    if (variable.dims.empty()) continue;
    write_dimension_list(*written[i], variable, scales);
    const hobj_ref_t own = reference_to(*written[i]);
    for (std::size_t d = 0; d < variable.dims.size(); ++d)
      scales.at(variable.dims[d]).attached->push_back({own, static_cast<unsigned>(d)});
  }
  for (const auto& [name, child] : data.groups) {
    if (!core::is_name(name)) throw Error("E190", fmt::format("'{}' cannot be the name of a group", name));
    const Handle properties(H5Pcreate(H5P_GROUP_CREATE), H5Pclose, "create properties");
    check(H5Pset_link_creation_order(properties, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED), "track order");
    check(H5Pset_attr_creation_order(properties, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED), "track order");
    check(H5Pset_obj_track_times(properties, false), "switch object times off");
    const Handle sub(H5Gcreate2(group, name.c_str(), H5P_DEFAULT, properties, H5P_DEFAULT), H5Gclose, "create a group");
    write_attributes(sub, child.attributes);
    write_group(sub, child, scales, laying);
  }
  for (const auto& [name, length] : data.dims) write_reference_list(scales.at(name));
}

std::map<std::string, Attribute> root_attributes(const Dataset& data, const std::string& hash) {
  std::map<std::string, Attribute> all = data.attributes;
  all["Conventions"] = std::string("CF-1.8 EOS-1");
  all["eos_schema"] = std::string(k_schema_version);
  all.try_emplace("status", std::string("complete"));
  all.try_emplace("determinism", std::string("R1 run-to-run"));
  all["content_sha256"] = hash;
  return all;
}

std::size_t payload_bytes(const Dataset& data) {
  std::size_t bytes = 0;
  for (const Variable& v : data.variables)
    bytes += std::visit([](const auto& a) { return a.size() * sizeof(a[0]); }, v.values);
  for (const auto& [name, group] : data.groups) bytes += payload_bytes(group);
  return bytes;
}

/// The memory of a file under construction. HDF5 hands it over when the file is closed; H5Fget_file_image is not used,
/// because it leaves a superblock whose checksum does not match (HDF5 1.10).
struct Image {
  std::string bytes;
  bool closed = false;

  static void* resize(void*, std::size_t size, H5FD_file_image_op_t, void* self) {
    try {
      auto& bytes = static_cast<Image*>(self)->bytes;
      bytes.resize(size, '\0');
      return bytes.data();
    } catch (...) {  // no exception may cross the C library
      return nullptr;
    }
  }
  static void* allocate(std::size_t size, H5FD_file_image_op_t op, void* self) {
    return resize(nullptr, size, op, self);
  }
  static herr_t release(void*, H5FD_file_image_op_t, void* self) {
    static_cast<Image*>(self)->closed = true;
    return 0;
  }
  static void* share(void* self) { return self; }
  static herr_t forget(void*) { return 0; }
};

Handle file_properties() {
  Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose, "create properties");
  check(H5Pset_link_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED), "track order");
  check(H5Pset_attr_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED), "track order");
  check(H5Pset_obj_track_times(creation, false), "switch object times off");
  return creation;
}

std::string file_image(const Dataset& data, Storage storage) {
  const h5::Session session;
  Image image;
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "create properties");
  const std::size_t step = std::max<std::size_t>(std::size_t{1} << 16, payload_bytes(data) / 4);
  check(H5Pset_fapl_core(access, step, false), "choose the memory driver");
  H5FD_file_image_callbacks_t callbacks{Image::allocate, nullptr,       Image::resize, Image::release,
                                        Image::share,    Image::forget, &image};
  check(H5Pset_file_image_callbacks(access, &callbacks), "choose the memory driver");
  check(H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V110), "choose the format version");
  const Handle creation = file_properties();
  ssize_t size = 0;
  {
    const Handle file(H5Fcreate("eos.h5", H5F_ACC_TRUNC, creation, access), H5Fclose, "create a file in memory");
    const Handle root(H5Gopen2(file, "/", H5P_DEFAULT), H5Gclose, "open the root group");
    write_attributes(root, root_attributes(data, core::content_sha256(data)));
    write_group(root, data, {}, {storage});
    check(H5Fflush(file, H5F_SCOPE_GLOBAL), "flush");
    size = H5Fget_file_image(file, nullptr, 0);  // the length alone
  }
  if (!image.closed || size < 0 || static_cast<std::size_t>(size) > image.bytes.size())
    throw Error("E306", "HDF5 could not finish a file in memory");
  image.bytes.resize(static_cast<std::size_t>(size));
  return std::move(image.bytes);
}

}  // namespace

void lay_out_hdf5(const std::string& path, const Dataset& data) {
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "create properties");
  check(H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V110), "choose the format version");
  const Handle creation = file_properties();
  const Handle file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation, access), H5Fclose, "create a file");
  const Handle root(H5Gopen2(file, "/", H5P_DEFAULT), H5Gclose, "open the root group");
  write_attributes(root, root_attributes(data, std::string(k_hash_digits, '0')));
  write_group(root, data, {}, {Storage::contiguous, true});
  check(H5Fflush(file, H5F_SCOPE_GLOBAL), "flush");
}

void write_texts(hid_t dataset, const std::vector<std::string>& texts, std::size_t first, std::size_t rows) {
  if (texts.empty()) return;
  const Handle file_space(H5Dget_space(dataset), H5Sclose, "open a space");
  const auto rank = static_cast<std::size_t>(std::max(0, H5Sget_simple_extent_ndims(file_space)));
  std::vector<hsize_t> start(rank, 0), count(rank);
  check(H5Sget_simple_extent_dims(file_space, count.data(), nullptr), "read a shape");
  start.at(0) = first, count.at(0) = rows;
  check(H5Sselect_hyperslab(file_space, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr), "select rows");
  const hsize_t size = texts.size();
  const Handle memory_space(H5Screate_simple(1, &size, nullptr), H5Sclose, "create a space");
  std::vector<const char*> pointers;
  for (const std::string& text : texts) pointers.push_back(text.c_str());
  const hid_t type = h5::text_type();
  check(H5Dwrite(dataset, type, memory_space, file_space, H5P_DEFAULT, pointers.data()), "write text");
}

hid_t number_type(const core::Array& like) { return number_types(like).second; }

void write_hdf5(const std::string& path, const Dataset& data, Storage storage) {
  write_file(path, file_image(data, storage));
}

}  // namespace eos::io
