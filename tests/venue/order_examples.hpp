// The venue's order object, as its documentation shows it and as its stream sends it.
#pragma once

#include <string>
#include <string_view>

namespace sluice::venue {

// The documentation's example: an order by notional.
inline constexpr std::string_view kDocumentedOrder =
    R"({"id":"61e69015-8549-4bfd-b9c3-01e75843f47d","client_order_id":"eb9e2aaa-f71a-4f51-b5b4-52a6c565dad4","created_at":"2021-03-16T18:38:01.942282Z","updated_at":"2021-03-16T18:38:01.942282Z","submitted_at":"2021-03-16T18:38:01.937734Z","filled_at":null,"expired_at":null,"canceled_at":null,"failed_at":null,"replaced_at":null,"replaced_by":null,"replaces":null,"asset_id":"b0b6dd9d-8b9b-48a9-ba46-b9d54906e415","symbol":"AAPL","asset_class":"us_equity","notional":"500","qty":null,"filled_qty":"0","filled_avg_price":null,"order_class":"","order_type":"market","type":"market","side":"buy","time_in_force":"day","limit_price":null,"stop_price":null,"status":"accepted","extended_hours":false,"legs":null,"trail_percent":null,"trail_price":null,"hwm":null})";

// A crypto limit order of ours, partly filled.
inline constexpr std::string_view kCryptoOrder =
    R"({"id":"0c5d1f3e-7a4b-4a65-9a77-3f0a2d9b1c11","client_order_id":"slc-demo-3-1-42","created_at":"2026-11-20T12:00:00.1Z","updated_at":"2026-11-20T12:00:01.25Z","submitted_at":"2026-11-20T12:00:00.1Z","filled_at":null,"expired_at":null,"expires_at":"2027-02-18T12:00:00.1Z","cancel_requested_at":null,"canceled_at":null,"failed_at":null,"replaced_at":null,"replaced_by":null,"replaces":null,"asset_id":"276e2673-764b-4ab6-a611-caf665ca6340","symbol":"BTC/USD","asset_class":"crypto","notional":null,"qty":"0.5","filled_qty":"0.123456789","filled_avg_price":"61837.63","order_class":"","order_type":"limit","type":"limit","side":"sell","position_intent":"sell_to_close","time_in_force":"gtc","limit_price":"61837.5","stop_price":null,"status":"partially_filled","extended_hours":false,"legs":null,"trail_percent":null,"trail_price":null,"hwm":null,"subtag":null,"source":null})";

inline std::string fill_update(std::string_view order = kCryptoOrder) {
  return R"({"stream":"trade_updates","data":{"event":"partial_fill","execution_id":"2f63ea93-423d-4169-b3f6-3fdafc10c418","timestamp":"2026-11-20T12:00:01.25Z","price":"61837.63","qty":"0.1","position_qty":"-0.4","order":)" +
         std::string(order) + "}}";
}

}  // namespace sluice::venue
