#include "frontend/diagnostics/renderer.h"

#include <algorithm>

namespace awl::frontend {
namespace {

constexpr uint32_t kTabWidth = 4;
constexpr size_t kMaxColumns = 240;     // longer lines are cut around the span
constexpr size_t kContextColumns = 80;  // what is left of the line before the span

// A line as it is shown: one entry per byte says where in the shown line the byte begins.
struct ShownLine {
  std::string text;
  std::vector<uint32_t> columns;  // by byte offset in the source line; one more for its end
  std::vector<uint32_t> starts;   // by column: where in `text` it begins; one more for the end
};

// Length of the valid UTF-8 sequence at the start of `bytes`, 0 when there is none.
size_t utf8_length(std::string_view bytes) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  size_t length = byte(0) >= 0xf0 && byte(0) <= 0xf4   ? 4
                  : byte(0) >= 0xe0 && byte(0) <= 0xef ? 3
                  : byte(0) >= 0xc2 && byte(0) <= 0xdf ? 2
                                                       : 0;
  if (length == 0 || bytes.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  if (length == 2 && byte(0) == 0xc2 && byte(1) < 0xa0) return 0;  // C1 control characters
  if (length == 3 && byte(0) == 0xe0 && byte(1) < 0xa0) return 0;
  if (length == 4 && byte(0) == 0xf0 && byte(1) < 0x90) return 0;
  return length;
}

// How one character is shown, and how many bytes of the source it takes.
std::string show_character(std::string_view rest, uint32_t column, size_t *length) {
  auto byte = static_cast<unsigned char>(rest[0]);
  *length = 1;
  if (byte == '\t') return std::string(kTabWidth - column % kTabWidth, ' ');
  if (byte >= 0x20 && byte < 0x7f) return std::string(1, rest[0]);
  if (size_t sequence = byte >= 0x80 ? utf8_length(rest) : 0) {
    *length = sequence;
    return std::string(rest.substr(0, sequence));
  }
  return fmt::format("\\x{:02x}", byte);
}

ShownLine show_line(std::string_view line) {
  ShownLine shown;
  shown.columns.reserve(line.size() + 1);
  for (size_t at = 0; at < line.size();) {
    size_t length = 1;
    auto column = static_cast<uint32_t>(shown.starts.size());
    std::string text = show_character(line.substr(at), column, &length);
    for (size_t i = 0; i < length; ++i) shown.columns.push_back(column);
    bool is_one_column = length > 1;
    for (size_t i = 0; i < (is_one_column ? 1 : text.size()); ++i) {
      shown.starts.push_back(static_cast<uint32_t>(shown.text.size() + i));
    }
    shown.text += text;
    at += length;
  }
  shown.columns.push_back(static_cast<uint32_t>(shown.starts.size()));
  shown.starts.push_back(static_cast<uint32_t>(shown.text.size()));
  return shown;
}

// The source line and the underline below it, for the bytes [begin, end) of the line.
std::string underlined(std::string_view line, size_t begin, size_t end) {
  // Bytes far from the span are never shown.
  size_t cut = begin > kMaxColumns * 4 ? begin - kMaxColumns * 4 : 0;
  line = line.substr(cut, kMaxColumns * 8);
  begin = std::min(begin - cut, line.size());
  end = std::min(std::max(end - cut, begin), line.size());
  ShownLine shown = show_line(line);
  size_t columns = shown.starts.size() - 1;
  size_t first = shown.columns[begin];
  size_t last = std::max<size_t>(shown.columns[end], first + 1);

  size_t from = 0;
  size_t to = columns;
  if (columns > kMaxColumns || cut > 0) {
    from = first > kContextColumns ? first - kContextColumns : 0;
    to = std::min(columns, from + kMaxColumns);
    last = std::min(last, to > first ? to : first + 1);
  }
  bool is_cut_before = from > 0 || cut > 0;
  std::string text = is_cut_before ? "..." : "";
  text += shown.text.substr(shown.starts[from], shown.starts[to] - shown.starts[from]);
  if (to < columns) text += "...";
  std::string indent(first - from + (is_cut_before ? 3 : 0), ' ');
  return text + "\n" + indent + std::string(last - first, '~') + "\n";
}

// "stdin:1:9-12: ERROR: message", then the line with the place underlined. A place of several
// lines is "stdin:1-3: …"; its first line is shown.
std::string render_place(const SourceManager &sources, Span span, const std::string &label,
                         const std::string &message) {
  if (span.source >= sources.size()) return label + ": " + message + "\n";
  const Source &source = sources.source(span.source);
  LineColumn begin = source.position(span.begin);
  LineColumn end = source.position(std::max(span.begin, span.end));
  std::string_view line = source.line(begin.line);
  std::string place;
  size_t end_column = end.column;
  if (begin.line == end.line) {
    place = fmt::format("{}:{}:{}-{}", source.name(), begin.line, begin.column, end.column);
  } else {
    place = fmt::format("{}:{}-{}", source.name(), begin.line, end.line);
    end_column = line.size() + 1;
  }
  return fmt::format("{}: {}: {}\n", place, label, message) +
         underlined(line, begin.column - 1, end_column - 1);
}

std::string colored(const char *color, const std::string &text, const RenderOptions &options) {
  return options.color ? fmt::format("\033[{}m{}\033[0m", color, text) : text;
}

// Messages quote the script: no byte of it may control the terminal.
std::string printable(const std::string &message) {
  std::string text;
  for (size_t at = 0; at < message.size();) {
    size_t length = 1;
    text += message[at] == '\t' ? "\\t"
            : message[at] == '\n'
                ? "\\n"
                : show_character(std::string_view(message).substr(at), 0, &length);
    at += length;
  }
  return text;
}

}  // namespace

std::string render(const Diagnostic &diagnostic, const SourceManager &sources,
                   const RenderOptions &options) {
  bool is_error = diagnostic.severity == Severity::kError;
  std::string label = colored(is_error ? "1;31" : "1;33", is_error ? "ERROR" : "WARNING", options);
  std::string message = printable(diagnostic.message);
  if (options.show_ids && diagnostic.kind) message += fmt::format(" [{}]", diagnostic.kind->id);
  std::string text = render_place(sources, diagnostic.span, label, message);
  if (!diagnostic.hint.empty()) {
    text += colored("1;36", "HINT", options) + ": " + printable(diagnostic.hint) + "\n";
  }
  for (const DiagnosticNote &note : diagnostic.notes) {
    text +=
        render_place(sources, note.span, colored("1;36", "NOTE", options), printable(note.message));
  }
  return text;
}

}  // namespace awl::frontend
