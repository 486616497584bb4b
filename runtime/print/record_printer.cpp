#include "runtime/print/record_printer.h"

#include <fmt/format.h>
#include <time.h>

#include <cstring>

#include "runtime/print/command.h"
#include "runtime/print/format_printer.h"
#include "runtime/print/pcap_writer.h"

namespace awl::runtime {
namespace {

using object::Event;
using object::EventKind;
using object::ValueKind;
using object::ValueType;

bool has_format(EventKind kind) {
  switch (kind) {
    case EventKind::kPrintf:
    case EventKind::kErrorf:
    case EventKind::kWarnf:
    case EventKind::kCat:
    case EventKind::kSystem:
      return true;
    default:
      return false;
  }
}

int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * int64_t{1'000'000'000} + now.tv_nsec;
}

}  // namespace

struct RecordPrinter::State {
  State(const object::Description &description, Output &output, const PrintContext &context)
      : description(description), output(output), values(context) {}

  const object::Description &description;
  Output &output;
  ValuePrinter values;
  std::vector<FormatPrinter> formats;  // by event
  std::string scratch;                 // kept between records for its memory
  Command cat, system;
  PcapWriter packets;

  void print_formatted(uint32_t index, const uint8_t *record);
  void print_value(const Event &event, const uint8_t *record);
  void print_join(const Event &event, const uint8_t *record);
  void run_cat(const std::string &path);
  void run_system(const std::string &command);
};

RecordPrinter::RecordPrinter() = default;
RecordPrinter::~RecordPrinter() = default;

Result<std::unique_ptr<RecordPrinter>> RecordPrinter::create(const object::Description &description,
                                                             Output &output,
                                                             const PrintContext &context) {
  std::unique_ptr<RecordPrinter> printer(new RecordPrinter);
  printer->s_ = std::make_unique<State>(description, output, context);
  State &state = *printer->s_;
  for (size_t i = 0; i < description.events.size(); ++i) {
    const Event &event = description.events[i];
    FormatPrinter format;
    if (has_format(event.kind)) {
      Result<FormatPrinter> compiled = FormatPrinter::compile(event.format, event.arguments);
      if (!compiled) return compiled.error().with_context(fmt::format("event {}", i));
      format = std::move(*compiled);
    }
    state.formats.push_back(std::move(format));
  }
  return printer;
}

void RecordPrinter::set_cat(Command command) { s_->cat = std::move(command); }
void RecordPrinter::set_system(Command command) { s_->system = std::move(command); }

bool RecordPrinter::print(const uint8_t *record, size_t size) {
  object::RecordHeader header;
  if (size < sizeof header) return false;
  std::memcpy(&header, record, sizeof header);
  if (header.event >= s_->formats.size()) return false;
  const Event &event = s_->description.events[header.event];
  if (size < event.size) return false;
  switch (event.kind) {
    case EventKind::kPrintf:
    case EventKind::kErrorf:
    case EventKind::kWarnf:
    case EventKind::kCat:
    case EventKind::kSystem:
      s_->print_formatted(header.event, record);
      return true;
    case EventKind::kPrintValue:
      s_->print_value(event, record);
      return true;
    case EventKind::kJoin:
      s_->print_join(event, record);
      return true;
    case EventKind::kTime:
      s_->scratch.clear();
      append_time(s_->scratch, event.format, now_ns());
      s_->output.time(s_->scratch);
      return true;
    case EventKind::kSkboutput: {
      Status status = s_->packets.write(event, record, s_->values.context().realtime_offset_ns);
      if (!status) s_->output.error(status.error().message);
      return true;
    }
    default:
      return false;
  }
}

void RecordPrinter::State::print_formatted(uint32_t index, const uint8_t *record) {
  const Event &event = description.events[index];
  if (event.kind == EventKind::kWarnf && values.context().no_warnings) return;
  if (event.kind == EventKind::kPrintf && !output.is_json()) {
    formats[index].print(values, record, output.writer().buffer());
    output.writer().written();
    return;
  }
  scratch.clear();
  formats[index].print(values, record, scratch);
  switch (event.kind) {
    case EventKind::kPrintf:
      return output.text(scratch);
    case EventKind::kErrorf:
    case EventKind::kWarnf:
      return output.user_message({event.kind == EventKind::kWarnf, scratch, event.location});
    case EventKind::kCat:
      return run_cat(scratch);
    default:
      return run_system(scratch);
  }
}

void RecordPrinter::State::print_value(const Event &event, const uint8_t *record) {
  const object::Field &argument = event.arguments[0];
  std::string &out = output.writer().buffer();
  if (output.is_json()) {
    out += "{\"type\": \"value\", \"data\": ";
    values.json(argument.type[0], record + argument.offset, out);
    out += "}\n";
  } else {
    values.text(argument.type[0], record + argument.offset, out);
    out += '\n';
  }
  output.writer().written();
}

// Argument 0 says how many strings; they follow as arguments of their own or as one array.
void RecordPrinter::State::print_join(const Event &event, const uint8_t *record) {
  uint64_t count = static_cast<uint64_t>(load_field(event.arguments[0], record));
  scratch.clear();
  uint64_t printed = 0;
  auto append = [&](const ValueType &type, const uint8_t *data) {
    if (printed == count) return;
    if (printed++ > 0) scratch += event.format;
    values.text(type, data, scratch);
  };
  for (size_t i = 1; i < event.arguments.size(); ++i) {
    const ValueType &type = event.arguments[i].type[0];
    const uint8_t *data = record + event.arguments[i].offset;
    if (type.kind != ValueKind::kArray) {
      append(type, data);
      continue;
    }
    const ValueType &element = type.fields[0].type[0];
    for (uint32_t k = 0; k < type.count; ++k) append(element, data + size_t{k} * element.size);
  }
  output.join(scratch);
}

void RecordPrinter::State::run_cat(const std::string &path) {
  if (cat) return output.cat(cat(path));
  Result<std::string> text = read_file_head(path, description.settings.max_cat_bytes);
  if (!text) {
    int code = text.error().code;
    std::string reason = code > 0 ? std::strerror(code) : text.error().message;
    return output.error(fmt::format("failed to open file '{}' ({})", path, reason));
  }
  output.cat(*text);
}

void RecordPrinter::State::run_system(const std::string &command) {
  if (system) return output.system(system(command));
  // What was printed before the command stands before what it prints to the terminal itself.
  output.writer().flush();
  Result<CommandResult> result = run_command(command);
  if (!result) return output.error(result.error().message);
  if (result->exit_code == 0 || !result->output.empty()) output.system(result->output);
  if (result->exit_code != 0) {
    output.error(fmt::format("command exited with code {}", result->exit_code));
  }
}

}  // namespace awl::runtime
