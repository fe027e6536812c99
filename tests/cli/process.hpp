// Run the real program in a child process, to send it signals.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace eos::test {

class Process {
 public:
  /// Starts EOS_PROGRAM with these words; stdout and stderr go to the files named.
  Process(const std::vector<std::string>& words, const std::string& out, const std::string& err) {
    std::vector<std::string> all = {EOS_PROGRAM};
    all.insert(all.end(), words.begin(), words.end());
    std::vector<char*> argv;
    for (std::string& word : all) argv.push_back(word.data());
    argv.push_back(nullptr);
    child_ = ::fork();
    if (child_ == 0) {
      ::dup2(::open(out.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600), STDOUT_FILENO);
      ::dup2(::open(err.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600), STDERR_FILENO);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
  }
  ~Process() {
    if (child_ <= 0) return;
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void send(int number) const { ::kill(child_, number); }
  /// Waits until `ready` or the child's end; true when ready.
  bool wait_until(const std::function<bool()>& ready) {
    while (!ready()) {
      int status = 0;
      if (::waitpid(child_, &status, WNOHANG) == child_) return finish(status), false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  }
  /// Exit code, or 128 + signal as a shell reports it.
  int wait() {
    int status = 0;
    if (child_ > 0) ::waitpid(child_, &status, 0), finish(status);
    return code_;
  }

 private:
  void finish(int status) {
    code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    child_ = -1;
  }
  pid_t child_ = -1;
  int code_ = -1;
};

}  // namespace eos::test
