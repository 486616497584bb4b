#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>

#include "base/file.h"
#include "base/zip.h"

namespace awl {
namespace {

template <class T>
void put(std::string &out, T value) {
  out.append(reinterpret_cast<const char *>(&value), sizeof value);
}

// An archive of one file at an offset, stored or (by name only) compressed.
std::string make_archive(const std::string &name, const std::string &content, uint32_t offset,
                         uint16_t method) {
  std::string archive(offset - 30 - name.size(), 'x');
  const auto header = static_cast<uint32_t>(archive.size());
  const auto put_common = [&] {
    put<uint16_t>(archive, 0);
    put<uint16_t>(archive, method);
    put<uint32_t>(archive, 0);
    put<uint32_t>(archive, 0);
    put<uint32_t>(archive, static_cast<uint32_t>(content.size()));
    put<uint32_t>(archive, static_cast<uint32_t>(content.size()));
    put<uint16_t>(archive, static_cast<uint16_t>(name.size()));
    put<uint16_t>(archive, 0);
  };
  put<uint32_t>(archive, 0x04034b50);
  put<uint16_t>(archive, 10);
  put_common();
  archive += name + content;
  const auto directory = static_cast<uint32_t>(archive.size());
  put<uint32_t>(archive, 0x02014b50);
  put<uint16_t>(archive, 10);
  put<uint16_t>(archive, 10);
  put_common();
  archive.append(10, '\0');
  put<uint16_t>(archive, 0);
  put<uint32_t>(archive, header);
  archive.resize(directory + 42);
  put<uint32_t>(archive, header);
  archive += name;
  const auto size = static_cast<uint32_t>(archive.size()) - directory;
  put<uint32_t>(archive, 0x06054b50);
  archive.append(8, '\0');
  put<uint32_t>(archive, size);
  put<uint32_t>(archive, directory);
  put<uint16_t>(archive, 0);
  return archive;
}

class ZipFile {
 public:
  explicit ZipFile(const std::string &content) : size_(content.size()) {
    char path[] = "/tmp/awl-zip-XXXXXX";
    fd_ = FileDescriptor(::mkstemp(path));
    ::unlink(path);
    EXPECT_EQ(::pwrite(fd_.get(), content.data(), size_, 0), static_cast<ssize_t>(size_));
  }
  Result<ZipEntry> find(const std::string &name) {
    return find_zip_entry(fd_.get(), size_, "x.apk", name);
  }

 private:
  FileDescriptor fd_;
  size_t size_;
};

TEST(Zip, FindsWhatIsStored) {
  ZipFile file(make_archive("lib/x.so", "content", 4096, 0));
  Result<ZipEntry> entry = file.find("lib/x.so");
  ASSERT_TRUE(entry) << entry.error().message;
  EXPECT_EQ(entry->offset, 4096u);
  EXPECT_EQ(entry->size, 7u);
  EXPECT_EQ(file.find("lib/y.so").error().message, "there is no lib/y.so in x.apk");
}

TEST(Zip, RefusesWhatCannotRun) {
  ZipFile compressed(make_archive("x", "content", 4096, 8));
  EXPECT_NE(compressed.find("x").error().message.find("is compressed"), std::string::npos);
  ZipFile askew(make_archive("x", "content", 4000, 0));
  EXPECT_NE(askew.find("x").error().message.find("page"), std::string::npos);
  ZipFile nothing("this is no archive, whatever its name says");
  EXPECT_EQ(nothing.find("x").error().message, "x.apk is not a ZIP archive");
}

TEST(Zip, SurvivesEveryCutAndChange) {
  const std::string good = make_archive("lib/x.so", "content", 4096, 0);
  for (size_t size = 4000; size < good.size(); ++size)
    (void)ZipFile(good.substr(0, size)).find("lib/x.so");
  for (size_t at = 4040; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0xff);
    Result<ZipEntry> entry = ZipFile(bad).find("lib/x.so");
    if (entry) {
      EXPECT_LE(entry->offset + entry->size, bad.size());
    }
  }
}

}  // namespace
}  // namespace awl
