// The run of a sweep, parsed once, and where the sweep file states the values of its axes. Private to io/.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "eos/theory/sweep_spec.hpp"
#include "toml_document.hpp"

namespace eos::io {

class SweepBase {
 public:
  /// `own`: the text is that of the sweep file, whose table [sweep] is no part of the run.
  SweepBase(std::string text, std::string name, Overrides overrides, bool own);

  /// Where the sweep file names a key (`word` empty) or gives it a value; the first place holds.
  void know_place(const std::string& key, const std::string& word, core::Diagnostic place);
  /// read(document) with the values of a point put in. Several threads may do this at the same time.
  template <class Read>
  auto at(const theory::SweepPoint& point, const Read& read) const {
    const Lease lease(*this);
    lease.document->assign(assignments_of(point));
    return read(static_cast<const Document&>(*lease.document));
  }

 private:
  /// A document of one's own for a while: parsing costs more than reading.
  struct Lease {
    explicit Lease(const SweepBase& owner) : base(owner), document(owner.take()) {}
    ~Lease() { base.put_back(std::move(document)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    const SweepBase& base;
    mutable std::unique_ptr<Document> document;
  };
  std::unique_ptr<Document> take() const;
  void put_back(std::unique_ptr<Document> document) const;
  std::vector<Assignment> assignments_of(const theory::SweepPoint& point) const;

  std::string text_, name_;
  Overrides overrides_;
  bool own_;
  std::map<std::pair<std::string, std::string>, core::Diagnostic> places_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Document>> free_;
};

}  // namespace eos::io
