// eos sweep submit with a stand-in for sbatch: what it is given, and what is said when it is missing or refuses.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "cli_support.hpp"

namespace eos::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class Submit : public testing::Test {
 protected:
  Submit() {
    std::filesystem::create_directory(folder / "bin");
    sweep = folder.write("sweep.toml", tiny_training("[sweep]\nseeds = 3\n"));
  }
  /// A program that comes first on the PATH.
  void program(const std::string& name, const std::string& text) {
    const std::string file = folder.write("bin/" + name, "#!/bin/sh\n" + text);
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  }
  Said submit(std::vector<std::string> words) {
    std::vector<std::string> all = {"sweep", "submit", sweep, "-o", dir};
    all.insert(all.end(), words.begin(), words.end());
    const Environment path("PATH", folder / "bin");
    return eos_says(all);
  }
  nlohmann::json submitted(std::vector<std::string> words) {
    words.insert(words.end(), {"--format", "json"});
    const Said said = submit(words);
    EXPECT_EQ(said.code, 0) << said.err;
    return nlohmann::json::parse(said.out);
  }

  Folder folder;
  std::string sweep, dir = folder / "results";
};

TEST_F(Submit, gives_sbatch_the_script_and_tells_the_number_of_the_job) {
  program("sbatch", "echo \"$@\" > " + (folder / "given") + "\necho 'sbatch: a notice' >&2\necho '17;cluster'\n");
  EXPECT_EQ(submitted({"--slurm", "--memory", "1G", "--time", "90"})["job"], "17");
  EXPECT_EQ(file_text(folder / "given"), "--parsable " + dir + "/submit.sh\n");
  const std::string script = file_text(dir + "/submit.sh");
  EXPECT_THAT(script, HasSubstr("#SBATCH --mem=1024M\n"));
  EXPECT_THAT(script, HasSubstr("#SBATCH --time=90\n"));
}

TEST_F(Submit, leaves_finished_chunks_out) {
  const auto before = submitted({"--slurm", "--dry-run"});
  const auto chunks = before["chunks"].get<int>();
  ASSERT_EQ(eos_says({"sweep", dir, "--chunk", "0", "-q"}).code, 0);
  if (chunks == 1) {
    EXPECT_THAT(submit({"--slurm"}).err, HasSubstr("every chunk is finished"));
  } else {
    EXPECT_EQ(submitted({"--slurm", "--dry-run"})["chunks"], chunks - 1);
    EXPECT_THAT(file_text(dir + "/submit.sh"), HasSubstr("#SBATCH --array=1"));
  }
}

TEST_F(Submit, takes_more_chunks_a_task_where_the_cluster_has_small_arrays) {
  program("scontrol", "echo 'MaxArraySize            = 1'\n");
  EXPECT_EQ(submitted({"--slurm", "--dry-run"})["tasks"], 1);
}

TEST_F(Submit, without_slurm_or_refused_ends_with_its_own_words) {
  Said said = submit({"--slurm"});
  EXPECT_EQ(said.code, 3);
  EXPECT_THAT(said.err, HasSubstr("error[E308]: sbatch is not on the PATH"));
  program("sbatch", "echo 'sbatch: error: invalid account' >&2\nexit 1\n");
  said = submit({"--slurm"});
  EXPECT_EQ(said.code, 3);
  EXPECT_THAT(said.err, HasSubstr("sbatch refuses the job (exit code 1): sbatch: error: invalid account"));
}

TEST_F(Submit, refuses_what_cannot_be_meant) {
  EXPECT_THAT(submit({}).err, HasSubstr("error[E100]: eos sweep submit: name one scheduler"));
  EXPECT_THAT(submit({"--slurm", "--parallel"}).err, HasSubstr("error[E100]"));
  EXPECT_THAT(submit({"--slurm", "--time", "1"}).err, HasSubstr("error[E107]: --signal-before 120 leaves nothing"));
  EXPECT_THAT(submit({"--slurm", "--sbatch", "long"}).err, HasSubstr("error[E103]: --sbatch expects one option"));
  EXPECT_THAT(eos_says({"sweep", sweep, "-o", dir, "--time", "9"}).err,
              HasSubstr("--time belongs to eos sweep submit"));
}

TEST_F(Submit, shows_the_commands_of_gnu_parallel_and_mpirun) {
  const std::string parallel = submitted({"--parallel", "--jobs", "3", "--threads", "2"})["command"];
  EXPECT_THAT(parallel, HasSubstr("parallel --jobs 3 "));
  EXPECT_THAT(parallel, HasSubstr(" sweep " + dir + " --chunk {} --threads 2 ::: $(seq 0 "));
  const std::string mpirun = submitted({"--mpi", "--jobs", "3"})["command"];
  EXPECT_THAT(mpirun, HasSubstr("mpirun -n 3 "));
  EXPECT_THAT(mpirun, HasSubstr(" sweep " + dir + " --mpi --threads 1"));
  EXPECT_THAT(mpirun, Not(HasSubstr("--device")));
}

}  // namespace
}  // namespace eos::test
