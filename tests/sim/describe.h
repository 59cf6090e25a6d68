// Events, effects and messages as short text, for histories and scenario files.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "inkmesh/cursor.h"
#include "inkmesh/effect.h"
#include "inkmesh/event.h"
#include "inkmesh/mesh_message.h"

namespace inkmesh::sim {

/// `ws1~5k2m9x1q:42 ws2~h80c3jzt:7`, or `-`.
std::string describe(const Cursor& cursor);
/// `ws1~5k2m9x1q:41..43`; several runs where they do not follow each other.
std::string describe(const Strokes& strokes);
std::string describe(const LinkMessage& message);
std::string describe(const Event& event);
std::string describe(const Effect& effect);
std::string describe(ErrorCode code);

/// A text with the words for connections replaced, by their numbers; an empty word goes away.
std::string replace_conns(const std::string& text, const std::function<std::string(std::uint64_t)>& word);

/// The channel that it is about; empty when it is about none or several.
Channel channel_of(const LinkMessage& message);
Channel channel_of(const Event& event);
Channel channel_of(const Effect& effect);

}  // namespace inkmesh::sim
