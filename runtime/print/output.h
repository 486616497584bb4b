// Output: what a run prints, as text or as JSON lines.
//
// Callers hand over finished pieces ("this text was printed by printf"); the two implementations
// give them their form. Everything goes through one buffer, written with one write(2) per batch:
// the event loop calls end_of_batch() when it has drained a ring, and that writes what -B says.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "runtime/object/description.h"
#include "runtime/tracer.h"

namespace awl::runtime {

// The buffer in front of a file descriptor.
class Writer {
 public:
  // Does not own the descriptors. `error_fd` gets errors and warnings in text mode.
  Writer(int fd, int error_fd, Buffering buffering);
  ~Writer();  // flushes
  Writer(const Writer &) = delete;
  Writer &operator=(const Writer &) = delete;

  std::string &buffer() { return buffer_; }  // append to it, then call written()
  void written() {
    if (buffering_ == Buffering::kNone || buffer_.size() >= kFlushSize) flush();
  }
  // The end of what can be printed without waiting: kLine writes it out.
  void end_of_batch() {
    if (buffering_ != Buffering::kFull) flush();
  }
  void flush();
  // Text for the error descriptor, after everything that was printed before.
  void write_error(std::string_view text);
  // Whether a write failed, and why (EPIPE, ENOSPC, …); nothing is written after that.
  bool has_failed() const { return failure_ != 0; }
  int failure() const { return failure_; }
  // While the output takes nothing, signals must not wait: calls `on_signal` whenever there is
  // something to read from `signal_fd`, which it has to take off.
  void watch(int signal_fd, std::function<void()> on_signal);
  void unwatch() { signal_fd_ = -1; }
  // From now on everything is kept, messages of the program too, until it is taken.
  void start_capture() {
    flush();
    is_capturing_ = true;
  }
  std::string take_captured() {
    is_capturing_ = false;
    return std::exchange(buffer_, {});
  }

 private:
  static constexpr size_t kFlushSize = 256 * 1024;
  int write_all(int fd, std::string_view text);
  bool wait_for(int fd);

  int fd_, error_fd_;
  Buffering buffering_;
  int failure_ = 0;
  int signal_fd_ = -1;
  std::function<void()> on_signal_;
  bool is_capturing_ = false;
  std::string buffer_;
};

// What a message to the user is about, for its form in either format.
struct Message {
  bool is_warning = false;
  std::string text;
  object::Location location;  // line 0: none
  bool is_quoted = false;     // text shows the line of the script, too
};

class Output {
 public:
  // `description` gives the names of the script and its text, quoted in errors; must outlive it.
  static std::unique_ptr<Output> create(OutputFormat format, Writer &writer,
                                        const object::Description &description);
  virtual ~Output() = default;
  Writer &writer() { return writer_; }
  bool is_json() const { return is_json_; }

  virtual void attached_probes(uint64_t count) = 0;  // text: on stderr
  virtual void lost_events(uint64_t count) = 0;      // since the last call
  virtual void text(std::string_view text) = 0;      // printf
  virtual void time(std::string_view text) = 0;
  virtual void join(std::string_view text) = 0;           // without newline
  virtual void cat(std::string_view text) = 0;            // a file's content
  virtual void system(std::string_view text) = 0;         // a command's output
  virtual void user_message(const Message &message) = 0;  // errorf, warnf, attach points
  // A helper failed at a place in the script (ErrorSite); `result` is what it returned.
  virtual void runtime_error(const object::ErrorSite &site, int64_t result) = 0;
  // ErrorSite counts at the end: how often something failed which had not been reported at once.
  virtual void error_count(const object::ErrorSite &site, uint64_t count) = 0;
  virtual void warning(std::string_view text) = 0;  // of the runtime itself
  virtual void error(std::string_view text) = 0;
  // The maps at exit come next: text mode sets them off with empty lines.
  virtual void before_final_maps() = 0;

  void end_of_batch() { writer_.end_of_batch(); }
  // Calls of errorf so far.
  uint64_t error_messages() const { return error_messages_; }

 protected:
  Output(Writer &writer, bool is_json) : writer_(writer), is_json_(is_json) {}
  Writer &writer_;
  const bool is_json_;
  uint64_t error_messages_ = 0;
};

}  // namespace awl::runtime
