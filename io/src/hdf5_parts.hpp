// EOS-1 files piece by piece, for tables larger than memory. Private to io/. The caller holds an h5::Session.
#pragma once

#include <hdf5.h>

#include <functional>
#include <string>
#include <vector>

#include "eos/core/dataset.hpp"

namespace eos::io {

inline constexpr std::size_t k_hash_digits = 64;

/// Whether the values of a variable (given with name, dims and attributes) are to be read; empty: all.
using WantsValues = std::function<bool(const core::Variable&)>;

/// The tree of an open file; variables whose values are not wanted come with an empty array of their type.
/// throws Error E210, E212, E306.
core::Dataset read_headers(hid_t file, const std::string& path, std::size_t file_bytes, const WantsValues& wants);
/// Rows [first, first + rows) along the first dimension, as the type of `like`.
core::Array read_rows(hid_t dataset, const core::Array& like, std::size_t first, std::size_t rows,
                      std::size_t row_elements);

/// Creates the file with all metadata. Variables without values get their place: numbers a contiguous one that is
/// allocated at once and not initialised, texts an empty one. content_sha256 is zeros for now.
void lay_out_hdf5(const std::string& path, const core::Dataset& data);
void write_texts(hid_t dataset, const std::vector<std::string>& texts, std::size_t first, std::size_t rows);
/// HDF5's type of an array of numbers in memory.
hid_t number_type(const core::Array& like);

}  // namespace eos::io
