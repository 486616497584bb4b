#include "base/dwarf/image_writer.h"

#include <cstring>

namespace awl {

ImageWriter::ImageWriter(const Elf64_Ehdr &like) : header_(like) {
  image_.resize(sizeof header_);
  sections_.emplace_back();  // number 0 stands for none
}

void ImageWriter::add(std::string_view name, std::string_view content, uint32_t type) {
  Elf64_Shdr section{};
  section.sh_name = static_cast<uint32_t>(names_.size());
  section.sh_type = type;
  section.sh_offset = image_.size();
  section.sh_size = content.size();
  section.sh_addralign = 1;
  names_.append(name).push_back('\0');
  image_.append(content);
  sections_.push_back(section);
}

std::string ImageWriter::finish() {
  names_.append(".shstrtab").push_back('\0');
  const std::string names = names_;
  add("", names, SHT_STRTAB);
  sections_.back().sh_name = static_cast<uint32_t>(names.size() - sizeof ".shstrtab");
  image_.resize((image_.size() + 7) & ~size_t{7});
  header_.e_type = ET_REL;
  header_.e_entry = header_.e_phoff = header_.e_phnum = header_.e_phentsize = 0;
  header_.e_ehsize = sizeof header_;
  header_.e_shentsize = sizeof(Elf64_Shdr);
  header_.e_shoff = image_.size();
  header_.e_shnum = static_cast<uint16_t>(sections_.size());
  header_.e_shstrndx = static_cast<uint16_t>(sections_.size() - 1);
  std::memcpy(image_.data(), &header_, sizeof header_);
  image_.append(reinterpret_cast<const char *>(sections_.data()),
                sections_.size() * sizeof(Elf64_Shdr));
  return std::move(image_);
}

}  // namespace awl
