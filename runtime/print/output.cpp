#include "runtime/print/output.h"

#include <fmt/format.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "runtime/print/error_text.h"
#include "runtime/print/json.h"

namespace awl::runtime {
namespace {

// The line of the script with the place underlined, as diagnostics show it.
std::string quote(const object::Description &description, const object::Location &location) {
  std::string_view text = description.script_text;
  for (uint32_t line = 1; line < location.line && !text.empty(); ++line) {
    size_t end = text.find('\n');
    text = end == text.npos ? std::string_view() : text.substr(end + 1);
  }
  text = text.substr(0, text.find('\n'));
  if (location.line == 0 || location.column == 0 || location.column > text.size()) return {};
  size_t start = location.column - 1;
  size_t end = location.end_line == location.line ? location.end_column : text.size() + 1;
  end = std::min<size_t>(end == 0 ? 0 : end - 1, text.size());
  return fmt::format("{}\n{}{}\n", text, std::string(start, ' '),
                     std::string(end > start ? end - start : 1, '~'));
}

// "stdin:1:9-12: ", empty when there is no place.
std::string place(const object::Description &description, const object::Location &location) {
  if (location.line == 0) return {};
  if (location.end_line == location.line) {
    return fmt::format("{}:{}:{}-{}: ", description.script_name, location.line, location.column,
                       location.end_column);
  }
  return fmt::format("{}:{}-{}: ", description.script_name, location.line, location.end_line);
}

// Whether a helper's result is a negative errno.
bool is_errno(int64_t result) { return result < 0 && result > -4096; }

// Where a message ends without newline it gets one.
void end_line(std::string &text) {
  if (text.empty() || text.back() != '\n') text += '\n';
}

class TextOutput final : public Output {
 public:
  TextOutput(Writer &writer, const object::Description &description)
      : Output(writer, /*is_json=*/false), description_(description) {}

  void attached_probes(uint64_t count) override {
    writer_.write_error(fmt::format("Attached {} probe{}\n", count, count == 1 ? "" : "s"));
  }
  void lost_events(uint64_t count) override {
    writer_.write_error(fmt::format("Lost {} event{}\n", count, count == 1 ? "" : "s"));
  }
  void text(std::string_view text) override { append(text); }
  void time(std::string_view text) override { append(text); }
  void join(std::string_view text) override { append(text, "\n"); }
  void cat(std::string_view text) override { append(text); }
  void system(std::string_view text) override { append(text, "\n"); }
  void user_message(const Message &message) override {
    error_messages_ += !message.is_warning;
    std::string text = place(description_, message.location);
    text += message.is_warning ? "WARNING: " : "ERROR: ";
    text += message.text;
    end_line(text);
    if (message.is_quoted) text += quote(description_, message.location);
    writer_.write_error(text);
  }
  void runtime_error(const object::ErrorSite &site, int64_t result) override {
    std::string reason = site.what;
    if (is_errno(result)) {
      reason += fmt::format(": {}, {}", std::strerror(static_cast<int>(-result)), result);
    }
    report(site, fmt::format("({})", reason));
  }
  void error_count(const object::ErrorSite &site, uint64_t count) override {
    report(site, fmt::format("({}: {} time{})", site.what, count, count == 1 ? "" : "s"));
  }
  void warning(std::string_view text) override {
    writer_.write_error(fmt::format("WARNING: {}\n", text));
  }
  void error(std::string_view text) override {
    writer_.write_error(fmt::format("ERROR: {}\n", text));
  }
  void before_final_maps() override { append("\n\n"); }

 private:
  void report(const object::ErrorSite &site, const std::string &details) {
    ErrorText error = explain_error(site.what);
    std::string text = fmt::format("{}WARNING: {} {}\n{}", place(description_, site.location),
                                   error.message, details, quote(description_, site.location));
    if (!error.hint.empty()) text += fmt::format("HINT: {}\n", error.hint);
    writer_.write_error(text);
  }
  void append(std::string_view text, std::string_view end = {}) {
    writer_.buffer().append(text).append(end);
    writer_.written();
  }

  const object::Description &description_;
};

class JsonOutput final : public Output {
 public:
  JsonOutput(Writer &writer, const object::Description &description)
      : Output(writer, /*is_json=*/true), description_(description) {}

  void attached_probes(uint64_t count) override {
    line(fmt::format(R"({{"type": "attached_probes", "count": {0}, "data": {{"probes": {0}}}}})",
                     count));
  }
  void lost_events(uint64_t count) override {
    line(fmt::format(R"({{"type": "lost_events", "data": {{"events": {}}}}})", count));
  }
  void text(std::string_view text) override { string("printf", text); }
  void time(std::string_view text) override { string("time", text); }
  void join(std::string_view text) override { string("join", text); }
  void cat(std::string_view text) override { string("cat", text); }
  void system(std::string_view text) override { string("syscall", text); }
  void user_message(const Message &message) override {
    error_messages_ += !message.is_warning;
    begin(message.is_warning ? "warnf" : "errorf");
    member("msg", message.text);
    end_with(message.location);
  }
  void runtime_error(const object::ErrorSite &site, int64_t result) override {
    begin("helper_error");
    member("msg", is_errno(result) ? std::strerror(static_cast<int>(-result)) : site.what.c_str());
    member("helper", site.what);
    writer_.buffer() += fmt::format(R"(, "retcode": {})", result);
    end_with(site.location);
  }
  void error_count(const object::ErrorSite &site, uint64_t count) override {
    begin("error_count");
    member("msg", site.what);
    writer_.buffer() += fmt::format(R"(, "count": {})", count);
    end_with(site.location);
  }
  void warning(std::string_view text) override {
    writer_.write_error(fmt::format("WARNING: {}\n", text));
  }
  void error(std::string_view text) override {
    writer_.write_error(fmt::format("ERROR: {}\n", text));
  }
  void before_final_maps() override {}

 private:
  void line(std::string_view text) {
    writer_.buffer().append(text).append("\n");
    writer_.written();
  }
  void string(std::string_view type, std::string_view text) {
    std::string &out = writer_.buffer();
    out.append(R"({"type": ")").append(type).append(R"(", "data": )");
    append_json_string(out, text);
    out += "}\n";
    writer_.written();
  }
  void begin(std::string_view type) {
    writer_.buffer().append(R"({"type": ")").append(type).append("\"");
  }
  void member(std::string_view key, std::string_view text) {
    std::string &out = writer_.buffer();
    out.append(", \"").append(key).append("\": ");
    append_json_string(out, text);
  }
  void end_with(const object::Location &location) {
    member("filename", description_.script_name);
    writer_.buffer() +=
        fmt::format(", \"line\": {}, \"col\": {}}}\n", location.line, location.column);
    writer_.written();
  }

  const object::Description &description_;
};

}  // namespace

Writer::Writer(int fd, int error_fd, Buffering buffering)
    : fd_(fd), error_fd_(error_fd), buffering_(buffering) {}

Writer::~Writer() { flush(); }

void Writer::watch(int signal_fd, std::function<void()> on_signal) {
  struct stat info {};
  // What files take is never long in coming.
  if (fstat(fd_, &info) == 0 && S_ISREG(info.st_mode)) return;
  signal_fd_ = signal_fd;
  on_signal_ = std::move(on_signal);
}

// Waits until `fd` takes something, and lets signals be handled meanwhile. False: it is of a kind
// that takes everything at once.
bool Writer::wait_for(int fd) {
  for (;;) {
    pollfd waits[] = {{fd, POLLOUT, 0}, {signal_fd_, POLLIN, 0}};
    const int ready = poll(waits, 2, -1);
    if (ready < 0 && errno != EINTR) return false;
    if (ready <= 0) continue;
    if (waits[0].revents != 0) return true;
    on_signal_();
  }
}

// 0, or the error number.
int Writer::write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    // A pipe that takes something takes this much without blocking (pipe(7)).
    const bool is_watched = signal_fd_ >= 0 && wait_for(fd);
    const size_t size = is_watched ? std::min<size_t>(text.size(), PIPE_BUF) : text.size();
    const ssize_t written = write(fd, text.data(), size);
    if (written < 0) {
      if (errno == EINTR || (errno == EAGAIN && is_watched)) continue;
      return errno;
    }
    text.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

void Writer::flush() {
  if (buffer_.empty() || is_capturing_) return;
  if (failure_ == 0) failure_ = write_all(fd_, buffer_);
  buffer_.clear();
}

void Writer::write_error(std::string_view text) {
  // What was printed before comes first where both go to one terminal.
  if (buffering_ != Buffering::kFull) flush();
  if (is_capturing_) {
    buffer_ += text;
  } else {
    write_all(error_fd_, text);
  }
}

std::unique_ptr<Output> Output::create(OutputFormat format, Writer &writer,
                                       const object::Description &description) {
  if (format == OutputFormat::kJson) return std::make_unique<JsonOutput>(writer, description);
  return std::make_unique<TextOutput>(writer, description);
}

}  // namespace awl::runtime
