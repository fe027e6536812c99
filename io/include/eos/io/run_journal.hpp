// Finished runs of a chunk that is still being worked on: an append-only file that survives SIGKILL, and the claim that
// one process alone works on the chunk.
//
// Layout. Header: "EOSJRNL1", then 64 characters that say which sweep it belongs to. Record: int64 index, uint64
// length, uint32 CRC-32 of index, length and body, body = the run's table in a compact binary form. Little-endian. A
// record is appended by one write(2): after a kill at any byte at most the last record is torn, and the next claim cuts
// it off.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "eos/core/dataset.hpp"

namespace eos::io {

class RunJournal {
 public:
  struct Record {
    std::int64_t index;  ///< of the run in plan order
    core::Dataset run;
  };

  /// Opens or creates the journal at `path` and locks it (flock); nothing when another process holds it. `sweep` is the
  /// SHA-256 of what the runs belong to. The lock ends with the object or its process, however that ends. It holds on
  /// one machine and on file systems whose flock works across machines (NFS >= 2.6.12 Linux, Lustre -o flock).
  /// throws Error E301 (cannot be created), E501 (journal of another sweep), E203 (not a journal).
  static std::optional<RunJournal> claim(const std::string& path, const std::string& sweep);

  /// The finished runs in a journal that another process may be writing, without a claim; none if there is no journal.
  static std::vector<Record> look(const std::string& path);

  RunJournal(RunJournal&&) noexcept;
  RunJournal& operator=(RunJournal&&) noexcept;
  ~RunJournal();

  /// Indices of the finished runs found by claim() and appended since, in order of recording.
  std::vector<std::int64_t> finished() const;
  /// All finished runs in order of recording. Those appended through this object come from memory, once; the others are
  /// read back from the file and checked. throws Error E203 when the file was damaged meanwhile.
  std::vector<Record> read();
  /// Records a finished run; may be called from several threads. Synced to the disk at most once a second.
  /// throws Error E301 when the disk is full; the file then ends with the last complete record.
  void append(std::int64_t index, core::Dataset run);
  void sync();
  /// Removes the file, when its runs have been published elsewhere, and gives the claim up.
  void remove();

 private:
  struct State;
  explicit RunJournal(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace eos::io
