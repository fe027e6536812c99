#include "dataset_codec.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "eos/core/error.hpp"

namespace eos::io {

using core::Array;
using core::Attribute;
using core::Dataset;
using core::Variable;

namespace {

static_assert(std::endian::native == std::endian::little, "journals hold little-endian numbers");

template <class T>
void put(std::string& out, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}
void put_text(std::string& out, std::string_view text) {
  put(out, static_cast<std::uint32_t>(text.size()));
  out.append(text);
}

void put_attributes(std::string& out, const std::map<std::string, Attribute>& attributes) {
  put(out, static_cast<std::uint32_t>(attributes.size()));
  for (const auto& [name, value] : attributes) {
    put_text(out, name);
    put(out, static_cast<std::uint8_t>(value.index()));
    if (const auto* text = std::get_if<std::string>(&value))
      put_text(out, *text);
    else if (const auto* number = std::get_if<double>(&value))
      put(out, *number);
    else
      put(out, std::get<std::int64_t>(value));
  }
}

void put_variable(std::string& out, const Variable& v) {
  put_text(out, v.name);
  put_text(out, v.units);
  put_text(out, v.long_name);
  put(out, static_cast<std::uint32_t>(v.dims.size()));
  for (const std::string& dim : v.dims) put_text(out, dim);
  put_attributes(out, v.attributes);
  put(out, static_cast<std::uint8_t>(v.values.index()));
  std::visit(
      [&](const auto& values) {
        put(out, static_cast<std::uint64_t>(values.size()));
        if constexpr (std::is_same_v<std::decay_t<decltype(values)>, std::vector<std::string>>) {
          for (const std::string& text : values) put_text(out, text);
        } else if (!values.empty()) {
          out.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof values[0]);
        }
      },
      v.values);
}

[[noreturn]] void refuse() { throw core::Error("E203", "a stored run is damaged"); }

class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : rest_(bytes) {}
  bool done() const { return rest_.empty(); }

  Dataset dataset(int depth = 0) {
    constexpr int k_deepest = 32;
    if (depth > k_deepest) refuse();
    Dataset data;
    for (auto n = get<std::uint32_t>(); n > 0; --n) {
      const std::string name(text());
      data.dims[name] = get<std::int64_t>();
    }
    data.attributes = attributes();
    const auto variables = get<std::uint32_t>();
    data.variables.reserve(std::min<std::size_t>(variables, rest_.size()));
    for (std::uint32_t i = 0; i < variables; ++i) data.variables.push_back(variable());
    for (auto n = get<std::uint32_t>(); n > 0; --n) {
      const std::string name(text());
      data.groups[name] = dataset(depth + 1);
    }
    return data;
  }

 private:
  std::string_view take(std::size_t size) {
    if (size > rest_.size()) refuse();
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }
  template <class T>
  T get() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string_view text() { return take(get<std::uint32_t>()); }

  std::map<std::string, Attribute> attributes() {
    std::map<std::string, Attribute> all;
    for (auto n = get<std::uint32_t>(); n > 0; --n) {
      const std::string name(text());
      switch (get<std::uint8_t>()) {
        case 0:
          all[name] = std::string(text());
          break;
        case 1:
          all[name] = get<double>();
          break;
        default:
          all[name] = get<std::int64_t>();
      }
    }
    return all;
  }

  template <class T>
  std::vector<T> numbers() {
    const auto size = get<std::uint64_t>();
    if (size > rest_.size() / sizeof(T)) refuse();
    std::vector<T> values(size);
    if (size > 0) std::memcpy(values.data(), take(size * sizeof(T)).data(), size * sizeof(T));
    return values;
  }
  std::vector<std::string> texts() {
    const auto size = get<std::uint64_t>();
    if (size > rest_.size() / sizeof(std::uint32_t)) refuse();
    std::vector<std::string> values(size);
    for (std::string& value : values) value = text();
    return values;
  }
  Array array() {
    switch (get<std::uint8_t>()) {
      case 0:
        return numbers<double>();
      case 1:
        return numbers<float>();
      case 2:
        return numbers<std::int64_t>();
      case 3:
        return numbers<std::int32_t>();
      case 4:
        return numbers<std::uint8_t>();
      case 5:
        return texts();
      default:
        refuse();
    }
  }

  Variable variable() {
    Variable v;
    v.name = text(), v.units = text(), v.long_name = text();
    for (auto n = get<std::uint32_t>(); n > 0; --n) v.dims.emplace_back(text());
    v.attributes = attributes();
    v.values = array();
    return v;
  }

  std::string_view rest_;
};

}  // namespace

void encode(const Dataset& data, std::string& out) {
  put(out, static_cast<std::uint32_t>(data.dims.size()));
  for (const auto& [name, length] : data.dims) {
    put_text(out, name);
    put(out, length);
  }
  put_attributes(out, data.attributes);
  put(out, static_cast<std::uint32_t>(data.variables.size()));
  for (const Variable& v : data.variables) put_variable(out, v);
  put(out, static_cast<std::uint32_t>(data.groups.size()));
  for (const auto& [name, group] : data.groups) {
    put_text(out, name);
    encode(group, out);
  }
}

Dataset decode(std::string_view bytes) {
  Decoder decoder(bytes);
  Dataset data = decoder.dataset();
  if (!decoder.done()) refuse();
  return data;
}

}  // namespace eos::io
