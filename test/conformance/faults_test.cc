// Servers and wires that break the rules of TLS: an error each time, the same as the twin's, and
// never a crash, a hang or a request.
#include <openssl/ssl.h>

#include <string>

#include "test/conformance/twins.h"

namespace certlatch::test {
namespace {

class Faults : public Twins {
 protected:
  void Speak(int version) {
    TlsSettings settings;
    settings.min_version = settings.max_version = version;
    // One cipher, for the twins prefer different ones, and what damages a record is told by those.
    settings.tune = [](SSL_CTX* context) {
      SSL_CTX_set_cipher_list(context, "ECDHE-ECDSA-AES128-GCM-SHA256");
      SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256");
    };
    Present(Leaf(), "", settings);
  }
};

// What happens to the server's records from number `at` on.
enum class Fault {
  kAlert,       // a fatal alert in the place of the record
  kWarning,     // a warning in front of the record
  kCut,         // half of the record, then the end
  kEnd,         // the end in its place
  kGarbage,     // bytes that are no record, in front of it
  kTooLong,     // a header that announces more than TLS allows
  kEmpty,       // a record without content in front of it
  kTwice,       // the record twice
  kTurnedBit,   // a bit in its middle is another
  kOtherType,   // application data instead of what it was, and the other way round
  kOldVersion,  // SSL 3.0 in the record's header
  kNoRecord,    // the record is missing, the next follows
};

struct FaultCase {
  const char* name;
  Fault fault;
};
void PrintTo(const FaultCase& one, std::ostream* out) { *out << one.name; }

Passage Break(const Record& record, Fault fault) {
  Passage passage{record.bytes};
  switch (fault) {
    case Fault::kAlert:
      passage.bytes = MakeRecord(kAlertRecord, std::string("\x02\x28", 2));
      passage.then_close = true;
      break;
    case Fault::kWarning:
      passage.bytes.insert(0, MakeRecord(kAlertRecord, std::string("\x01\x5a", 2)));
      break;
    case Fault::kCut:
      passage.bytes.resize(passage.bytes.size() / 2);
      passage.then_close = true;
      break;
    case Fault::kEnd:
      passage.bytes.clear();
      passage.then_close = true;
      break;
    case Fault::kGarbage:
      passage.bytes.insert(0, "\x16\x03\x09garbage, and more of it");
      break;
    case Fault::kTooLong:
      passage.bytes[3] = '\x7f';
      passage.bytes.append(0x7fff, 'x');
      break;
    case Fault::kEmpty:
      passage.bytes.insert(0, MakeRecord(record.type(), ""));
      break;
    case Fault::kTwice:
      passage.bytes += record.bytes;
      break;
    case Fault::kTurnedBit: {
      char& middle = passage.bytes[kRecordHeader + record.body().size() / 2];
      middle = static_cast<char>(middle ^ 0x08);
      break;
    }
    case Fault::kOtherType:
      passage.bytes[0] = record.type() == kDataRecord ? char{kHandshakeRecord} : char{kDataRecord};
      break;
    case Fault::kOldVersion:
      passage.bytes[1] = 2;
      break;
    case Fault::kNoRecord:
      passage.bytes.clear();
      break;
  }
  return passage;
}

class Broken : public Faults, public testing::WithParamInterface<FaultCase> {};

// At each record that the server sends before the first request could be answered.
TEST_P(Broken, IsAnErrorAtEachStageOfTheHandshake) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Speak(version);
    const int last = version == TLS1_2_VERSION ? 6 : 5;
    for (int stage = 1; stage <= last; ++stage) {
      SCOPED_TRACE((version == TLS1_2_VERSION ? "TLS 1.2, record " : "TLS 1.3, record ") +
                   std::to_string(stage));
      bool harmless = GetParam().fault == Fault::kEmpty || GetParam().fault == Fault::kWarning;
      RecordProxy proxy(api().server().port(), [&](const Record& record) {
        if (!record.from_server || record.number != stage) return Passage{record.bytes};
        // TLS 1.3 has these for the sake of old proxies, and does not read them.
        if (version == TLS1_3_VERSION && record.type() == kChangeCipherSpecRecord) harmless = true;
        return Break(record, GetParam().fault);
      });
      // A server that leaves something out waits for us, and we for it.
      const Both both = DecideAt(proxy.url(), {"--request-timeout=5s"});
      EXPECT_EQ(both.small.taken, both.whole.taken) << both.small.outcome << "\n"
                                                    << both.whole.outcome;
      EXPECT_EQ(both.small.reason, both.whole.reason);
      if (!harmless) {
        EXPECT_FALSE(both.small.taken);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Wires, Broken,
    testing::Values(FaultCase{"Alert", Fault::kAlert}, FaultCase{"Warning", Fault::kWarning},
                    FaultCase{"Cut", Fault::kCut}, FaultCase{"End", Fault::kEnd},
                    FaultCase{"Garbage", Fault::kGarbage}, FaultCase{"TooLong", Fault::kTooLong},
                    FaultCase{"Empty", Fault::kEmpty}, FaultCase{"Twice", Fault::kTwice},
                    FaultCase{"TurnedBit", Fault::kTurnedBit},
                    FaultCase{"OtherType", Fault::kOtherType},
                    FaultCase{"OldVersion", Fault::kOldVersion},
                    FaultCase{"NoRecord", Fault::kNoRecord}),
    [](const auto& test) { return std::string(test.param.name); });

// Each alert that there is, in the place of the server's first record.
TEST_F(Faults, EachAlertIsAnError) {
  Speak(0);
  for (const int alert : {0,  10, 20, 22, 40, 42,  43,  44,  45,  46,  47,  48,  49,  50, 51,
                          70, 71, 80, 86, 90, 109, 110, 112, 113, 115, 116, 120, 200, 255}) {
    SCOPED_TRACE(alert);
    RecordProxy proxy(api().server().port(), [&](const Record& record) {
      if (!record.from_server) return Passage{record.bytes};
      return Passage{MakeRecord(kAlertRecord, std::string{'\2', static_cast<char>(alert)}), true};
    });
    ExpectRefusedAt(proxy.url(), "127.0.0.1:");
  }
}

TEST_F(Faults, AMessageThatClaimsSixteenMegabytesIsRefused) {
  Speak(TLS1_2_VERSION);
  for (const char type : {'\2', '\13', '\14', '\16', '\24', '\26', '\31'}) {
    SCOPED_TRACE(static_cast<int>(type));
    RecordProxy proxy(api().server().port(), [&](const Record& record) {
      if (!record.from_server || record.number > 1) return Passage{record.bytes};
      std::string body = {type, '\xff', '\xff', '\xff'};
      return Passage{MakeRecord(kHandshakeRecord, body.append(16000, 'x')), true};
    });
    ExpectRefusedAt(proxy.url(), "127.0.0.1:");
  }
}

TEST_F(Faults, MessagesThatATls12ClientDoesNotExpectAreRefused) {
  Speak(TLS1_2_VERSION);
  // hello_request, client_hello, new_session_ticket, certificate_verify, finished, key_update, ...
  for (int type = 0; type <= 32; ++type) {
    if (type == SSL3_MT_HELLO_REQUEST) continue;  // allowed at any time, and ignored
    SCOPED_TRACE(type);
    RecordProxy proxy(api().server().port(), [&](const Record& record) {
      Passage passage{record.bytes};
      if (record.from_server && record.number == 1) {
        const std::string empty = {static_cast<char>(type), 0, 0, 0};
        passage.bytes.insert(0, MakeRecord(kHandshakeRecord, empty));
      }
      return passage;
    });
    ExpectRefusedAt(proxy.url(), "127.0.0.1:");
  }
}

// Each byte of the ServerHello and what follows it, one after the other, is turned: the result is
// an error, mostly that of the signature or of the Finished message, and the twin's.
TEST_F(Faults, EveryOtherServerHelloIsAnError) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Speak(version);
    for (size_t at = 0; at < 120; at += 3) {
      SCOPED_TRACE(std::to_string(version) + ", byte " + std::to_string(at));
      bool changed = false;
      RecordProxy proxy(api().server().port(), [&](const Record& record) {
        Passage passage{record.bytes};
        if (record.from_server && record.number == 1 && kRecordHeader + at < record.bytes.size()) {
          char& byte = passage.bytes[kRecordHeader + at];
          byte = static_cast<char>(byte ^ 0x01);
          changed = true;
        }
        return passage;
      });
      const Both both = DecideAt(proxy.url(), {"--request-timeout=5s"});
      EXPECT_EQ(both.small.taken, !changed) << both.small.outcome;
      EXPECT_EQ(both.whole.taken, !changed) << both.whole.outcome;
    }
  }
}

}  // namespace
}  // namespace certlatch::test
