// Schema hashes of the records that travel in shared memory.
//
// SLUICE_SCHEMA(Type, f1, f2, …) stands under a record, in the record's namespace, and names every
// field in order. It yields kSchemaHash<Type>: FNV-1a 64 over the type's name and, per field, name,
// offset, size and kind. The hash stands in the header of every segment, so a binary built against
// another layout is refused at attach.
//
// Compile-time invariants it asserts:
// 1. The record is trivially copyable and standard layout: it may be copied byte by byte between
// processes.
// 2. The fields, in the order given, follow each other without a hole and end at sizeof(Type):
// there is no hidden
//    padding, so equal records are equal bytes. (For a union: every member starts at 0 and one
//    spans the whole.)
// 3. A field that is itself a struct has a schema of its own, whose hash enters this one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace sluice {

template <class T>
struct Tag {};

// The hash of a record type declared with SLUICE_SCHEMA; found by argument-dependent lookup in the
// type's namespace.
template <class T>
inline constexpr std::uint64_t kSchemaHash = schema_hash_of(Tag<T>{});

namespace schema {

inline constexpr std::uint64_t kFnvBasis = 0xcbf29ce484222325ULL;
inline constexpr std::uint64_t kFnvPrime = 0x00000100000001b3ULL;

constexpr std::uint64_t fnv1a(std::uint64_t hash, std::string_view text) noexcept {
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= kFnvPrime;
  }
  return hash;
}

constexpr std::uint64_t fnv1a(std::uint64_t hash, std::uint64_t value) noexcept {
  for (int byte = 0; byte < 8; ++byte) {
    hash ^= (value >> (8 * byte)) & 0xffU;
    hash *= kFnvPrime;
  }
  return hash;
}

template <class T>
concept HasSchema = requires {
  schema_hash_of(Tag<T>{});
};

template <class T>
struct StdArray : std::false_type {};
template <class T, std::size_t N>
struct StdArray<std::array<T, N>> : std::true_type {
  using Element = T;
  static constexpr std::size_t kExtent = N;
};

// Enters what a field is, so that int64 turned into uint64, or one nested record into another,
// changes the hash.
template <class T>
constexpr std::uint64_t hash_kind(std::uint64_t hash) noexcept {
  if constexpr (std::is_array_v<T>) {
    hash = fnv1a(fnv1a(hash, "array"), std::uint64_t{std::extent_v<T>});
    return hash_kind<std::remove_extent_t<T>>(hash);
  } else if constexpr (StdArray<T>::value) {
    hash = fnv1a(fnv1a(hash, "array"), std::uint64_t{StdArray<T>::kExtent});
    return hash_kind<typename StdArray<T>::Element>(hash);
  } else if constexpr (std::is_enum_v<T>) {
    return hash_kind<std::underlying_type_t<T>>(fnv1a(hash, "enum"));
  } else if constexpr (std::is_same_v<T, bool>) {
    return fnv1a(hash, "bool");
  } else if constexpr (std::is_same_v<T, char>) {
    return fnv1a(hash, "char");
  } else if constexpr (std::is_integral_v<T>) {
    return fnv1a(fnv1a(hash, std::is_signed_v<T> ? "int" : "uint"), std::uint64_t{sizeof(T)});
  } else if constexpr (std::is_floating_point_v<T>) {
    return fnv1a(fnv1a(hash, "float"), std::uint64_t{sizeof(T)});
  } else {
    static_assert(HasSchema<T>,
                  "a record inside a record needs its own SLUICE_SCHEMA, declared before this one");
    return fnv1a(fnv1a(hash, "record"), schema_hash_of(Tag<T>{}));
  }
}

struct Field {
  std::string_view name;
  std::size_t offset;
  std::size_t size;
};

template <std::size_t N>
constexpr bool fields_cover(const std::array<Field, N>& fields, std::size_t size,
                            bool is_union) noexcept {
  std::size_t end = 0;
  for (const Field& field : fields) {
    if (is_union) {
      if (field.offset != 0) {
        return false;
      }
      end = field.size > end ? field.size : end;
    } else {
      if (field.offset != end) {
        return false;
      }
      end = field.offset + field.size;
    }
  }
  return end == size;
}

constexpr std::uint64_t hash_field(std::uint64_t hash, const Field& field) noexcept {
  hash = fnv1a(fnv1a(hash, field.name), ":");
  return fnv1a(fnv1a(hash, std::uint64_t{field.offset}), std::uint64_t{field.size});
}

}  // namespace schema
}  // namespace sluice

// The preprocessor's way to apply a macro to every argument (C++20 __VA_OPT__). 3^4 = 81 rescans
// bound the field count.
#define SLUICE_SCHEMA_PARENS ()
#define SLUICE_SCHEMA_EXPAND(...) \
  SLUICE_SCHEMA_EXPAND3(SLUICE_SCHEMA_EXPAND3(SLUICE_SCHEMA_EXPAND3(__VA_ARGS__)))
#define SLUICE_SCHEMA_EXPAND3(...) \
  SLUICE_SCHEMA_EXPAND2(SLUICE_SCHEMA_EXPAND2(SLUICE_SCHEMA_EXPAND2(__VA_ARGS__)))
#define SLUICE_SCHEMA_EXPAND2(...) \
  SLUICE_SCHEMA_EXPAND1(SLUICE_SCHEMA_EXPAND1(SLUICE_SCHEMA_EXPAND1(__VA_ARGS__)))
#define SLUICE_SCHEMA_EXPAND1(...) \
  SLUICE_SCHEMA_EXPAND0(SLUICE_SCHEMA_EXPAND0(SLUICE_SCHEMA_EXPAND0(__VA_ARGS__)))
#define SLUICE_SCHEMA_EXPAND0(...) __VA_ARGS__
#define SLUICE_SCHEMA_EACH(macro, Type, ...) \
  __VA_OPT__(SLUICE_SCHEMA_EXPAND(SLUICE_SCHEMA_STEP(macro, Type, __VA_ARGS__)))
#define SLUICE_SCHEMA_STEP(macro, Type, field, ...) \
  macro(Type, field) __VA_OPT__(SLUICE_SCHEMA_AGAIN SLUICE_SCHEMA_PARENS(macro, Type, __VA_ARGS__))
#define SLUICE_SCHEMA_AGAIN() SLUICE_SCHEMA_STEP

#define SLUICE_SCHEMA_FIELD(Type, field) \
  ::sluice::schema::Field{#field, offsetof(Type, field), sizeof(Type::field)},
#define SLUICE_SCHEMA_KIND(Type, field) \
  hash = ::sluice::schema::hash_kind<decltype(Type::field)>(hash);

#define SLUICE_SCHEMA(Type, ...)                                                               \
  constexpr std::uint64_t schema_hash_of(::sluice::Tag<Type>) noexcept {                       \
    static_assert(std::is_trivially_copyable_v<Type>,                                          \
                  #Type " must be trivially copyable to travel in shared memory");             \
    static_assert(std::is_standard_layout_v<Type>,                                             \
                  #Type " must be standard layout: offsets are part of its schema");           \
    constexpr std::array fields{SLUICE_SCHEMA_EACH(SLUICE_SCHEMA_FIELD, Type, __VA_ARGS__)};   \
    static_assert(::sluice::schema::fields_cover(fields, sizeof(Type), std::is_union_v<Type>), \
                  #Type                                                                        \
                  ": name every field in order, and every padding byte as a reserved field");  \
    std::uint64_t hash = ::sluice::schema::fnv1a(::sluice::schema::kFnvBasis, #Type);          \
    for (const ::sluice::schema::Field& field : fields) {                                      \
      hash = ::sluice::schema::hash_field(hash, field);                                        \
    }                                                                                          \
    SLUICE_SCHEMA_EACH(SLUICE_SCHEMA_KIND, Type, __VA_ARGS__)                                  \
    return hash;                                                                               \
  }                                                                                            \
  static_assert(schema_hash_of(::sluice::Tag<Type>{}) != 0)
