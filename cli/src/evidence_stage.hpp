// One stage of a comparison: a list of runs as an ordinary sweep, worked on, merged and read.
#pragma once

#include <string>
#include <vector>

#include "evidence.hpp"
#include "sweep.hpp"

namespace eos::cli {

enum class StageStatus {
  complete,
  open,    ///< not finished, and nobody was asked to work on it
  stopped, ///< on request
  failed   ///< runs in it could not be made
};

struct StageResult {
  StageStatus status = StageStatus::open;
  Stage stage;
  std::string why;  ///< the first failure
};

class Stages {
 public:
  /// `folder` is that of the task; relative paths of settings start there.
  Stages(Session& session, const theory::EvidenceTask& task, std::string folder, SweepData& data)
      : session_(session), task_(task), folder_(std::move(folder)), data_(data) {}

  /// Seconds of wall time that an epoch takes on one thread, known from earlier stages; 0: measured when planning.
  double epoch_seconds = 0;

  /// Makes and finishes the sweep `name` ("tune/dbpd") under the folder, or takes it as it is when `work` is false.
  /// throws Error E504 when the folder was made of other settings.
  StageResult carry_out(const std::string& name, const std::string& method, std::vector<StagePoint> points,
                        const std::vector<std::uint64_t>& seeds, bool work);

 private:
  std::string text_of(const std::string& name, const std::vector<StagePoint>& points,
                      const std::vector<std::uint64_t>& seeds) const;
  OpenSweep open(const std::string& name, const std::string& text) const;
  StageStatus finish(OpenSweep& sweep, const std::string& name, bool work, std::string& why) const;
  core::Dataset merged(const OpenSweep& sweep) const;

  Session& session_;
  const theory::EvidenceTask& task_;
  std::string folder_;
  SweepData& data_;
};

}  // namespace eos::cli
