#include "shm/board.hpp"

#include "shm/layout_files.hpp"

namespace sluice::shm {

Segment attach_board(const Instance& instance, const std::string& board, std::uint64_t schema_hash,
                     std::uint32_t row_bytes, Region::Access access) {
  Segment segment = attach_segment(instance, board_file(board),
                                   {.kind = SegmentKind::kBoard,
                                    .name = board,
                                    .schema_hash = schema_hash,
                                    .element_bytes = row_bytes},
                                   access);
  const SegmentHeader& header = segment.header;
  // The division first: the product of two numbers from a spoilt header could wrap.
  if (header.element_bytes == 0 || header.elements > header.file_bytes / header.element_bytes ||
      header.file_bytes != board_bytes(header.elements, header.element_bytes))
    throw AttachError(AttachStatus::kWrongSize,
                      instance.dir() + '/' + board_file(board) +
                          ": wrong size: " + std::to_string(header.elements) + " rows of " +
                          std::to_string(header.element_bytes) + " bytes in a file of " +
                          std::to_string(header.file_bytes) + " bytes; run 'sluicectl shm create'");
  return segment;
}

}  // namespace sluice::shm
