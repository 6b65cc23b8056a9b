// Everything an API server, or what stands before it, can do to a list and a watch.
#include <atomic>
#include <string>

#include "base/text.h"
#include "test/system/certlatch_run.h"

namespace certlatch::test {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

const std::string kReady = R"({"conditions":[{"type":"Ready","status":"True"}]})";
const std::string kNotReady = R"({"conditions":[{"type":"Ready","status":"False"}]})";
const ObjectRef kWeb = {"certificates.cert-manager.io", "default", "web"};
constexpr Duration kApart = 2ms;  // between two pieces, so that the client sees them one by one

// What a test waits for at a scripted server: the ConfigMap c with a=done.
const Args kDone = {"configmap/c", "--for=jsonpath={.data.a}=done", "--timeout=30s"};
const Args kDoneSoon = {"configmap/c", "--for=jsonpath={.data.a}=done", "--timeout=2s"};

std::string Events(const std::string& name) {
  std::string object = ConfigMapJson(name, "begun", 2);
  return EventLine("ADDED", object) +
         EventLine("BOOKMARK", R"({"kind":"ConfigMap","metadata":{"resourceVersion":"3"}})") +
         EventLine("MODIFIED", ConfigMapJson(name, "done", 4));
}

void SendEvents(Connection& connection, const std::string& body) {
  connection.StartChunked(200, "application/json");
  connection.SendChunk(body);
}

class WatchFaults : public SystemTest {
 protected:
  // A TLS server whose lists are empty and whose watches are `watch`'s.
  std::unique_ptr<ScriptedServer> Serve(ScriptedServer::Handler watch) {
    return ServeAll(EmptyListThen(std::move(watch)));
  }
  std::unique_ptr<ScriptedServer> ServeAll(ScriptedServer::Handler handler,
                                           Mode mode = Mode::kServe) {
    ServerOptions options;
    options.tls = ServerTls(authority());
    options.mode = mode;
    return std::make_unique<ScriptedServer>(std::move(options), std::move(handler));
  }
  // The command ends by its own clock, with this said of why.
  void ExpectTimeout(const ScriptedServer& server, const std::string& why) {
    const Outcome outcome = RunAt(server.url(), kDoneSoon);
    EXPECT_THAT(outcome, ExitsWith(1));
    EXPECT_THAT(outcome.err, HasSubstr("error: timed out after 2s: configmap/c: "));
    EXPECT_THAT(outcome.err, HasSubstr(why));
  }
};

// --- the watch's bytes ---

TEST_F(WatchFaults, ReadsAWatchThatComesByteByByte) {
  const auto server = Serve([](const HttpRequest&, Connection& connection) {
    connection.StartChunked(200, "application/json");
    for (const char byte : Events("c")) connection.SendChunk({&byte, 1});
    connection.Stall();
  });
  EXPECT_THAT(RunAt(server->url(), kDone), ExitsWith(0));
}

TEST_F(WatchFaults, ReadsAnAnswerInTlsRecordsOfOneByte) {
  const auto server = Serve([](const HttpRequest&, Connection& connection) {
    const std::string answer =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + Events("c");
    for (const char byte : answer) connection.Send({&byte, 1});
    connection.Stall();
  });
  EXPECT_THAT(RunAt(server->url(), kDone), ExitsWith(0));
}

// The watch of w-17 is cut into two at its 17th byte; all of them run side by side.
TEST_F(WatchFaults, ReadsAWatchSplitAtEveryByte) {
  const auto server = Serve([](const HttpRequest& request, Connection& connection) {
    const std::string name(request.Query("fieldSelector").substr(14));
    const std::string body = Events(name);
    const size_t split = *ParseUint(name.substr(2), 9999) % (body.size() - 1) + 1;
    connection.StartChunked(200, "application/json");
    connection.SendChunk(std::string_view(body).substr(0, split));
    connection.WaitForPeerClose(kApart);
    connection.SendChunk(std::string_view(body).substr(split));
    connection.Stall();
  });
  const size_t length = Events("w-000").size();
  for (size_t first = 0; first < length; first += 60) {
    Args arguments = {"--for=jsonpath={.data.a}=done", "--timeout=80s"};
    for (size_t i = first; i < first + 60; ++i) {
      arguments.push_back("configmap/w-" + std::to_string(1000 + i).substr(1));
    }
    const Outcome outcome = RunAt(server->url(), arguments);
    ASSERT_THAT(outcome, ExitsWith(0));
    EXPECT_EQ(CountOf(outcome.out, " condition met\n"), 60U);
  }
}

TEST_F(WatchFaults, ReadsSeveralEventsOfOneChunkInOrder) {
  const auto server = Serve([](const HttpRequest&, Connection& connection) {
    SendEvents(connection, Events("c") + EventLine("DELETED", ConfigMapJson("c", "done", 5)) +
                               EventLine("ADDED", ConfigMapJson("c", "again", 6)));
    connection.Stall();
  });
  const Outcome outcome = RunAt(server->url(), {"configmap/c", "--for=jsonpath={.data.a}=again"});
  EXPECT_THAT(outcome, ExitsWith(0));
}

TEST_F(WatchFaults, ReadsALargeObject) {
  const auto server = Serve([](const HttpRequest&, Connection& connection) {
    SendEvents(connection,
               EventLine("ADDED", ConfigMapJson("c", std::string(size_t{1500} * 1024, 'x'))) +
                   EventLine("MODIFIED", ConfigMapJson("c", "done")));
    connection.Stall();
  });
  EXPECT_THAT(RunAt(server->url(), kDone), ExitsWith(0));
}

TEST_F(WatchFaults, NeverBelievesALineThatIsTooLong) {
  const auto server = Serve([](const HttpRequest&, Connection& connection) {
    SendEvents(connection, EventLine("ADDED", R"({"pad":")" + std::string(5 << 20, 'x') + "\"," +
                                                  ConfigMapJson("c", "done").substr(1)));
    connection.Stall();
  });
  ExpectTimeout(*server, "a watch event is larger than");
  EXPECT_GE(CountWatches(server->requests()), 2U) << "it tries again";
}

TEST_F(WatchFaults, NeverBelievesBytesThatAreNoJson) {
  const auto server = Serve([](const HttpRequest&, Connection& connection) {
    SendEvents(connection,
               "{\"type\":\"ADDED\",\"object\":{{" + ConfigMapJson("c", "done") + "}\n");
    connection.Stall();
  });
  ExpectTimeout(*server, "JSON");
}

TEST_F(WatchFaults, NeverBelievesALineThatWasCutOff) {
  const auto server = Serve([](const HttpRequest&, Connection& connection) {
    const std::string line = EventLine("ADDED", ConfigMapJson("c", "done"));
    SendEvents(connection, line.substr(0, line.size() - 4));
    connection.Close();
  });
  ExpectTimeout(*server, "broke");
}

TEST_F(WatchFaults, NeverBelievesALineThatWasCutOffByACleanEnd) {
  const auto server = Serve([](const HttpRequest&, Connection& connection) {
    const std::string line = EventLine("ADDED", ConfigMapJson("c", "done"));
    SendEvents(connection, line.substr(0, line.size() - 4));
    connection.EndChunked();
  });
  ExpectTimeout(*server, "the watch was cut off within an event");
}

// --- ends, and coming back ---

struct End {
  std::string name;
  void (*how)(Connection&);
};
void PrintTo(const End& end, std::ostream* out) { *out << end.name; }

class WatchEnds : public WatchFaults, public testing::WithParamInterface<End> {};

// The second watch must go on where the first one's last event was.
TEST_P(WatchEnds, AreFollowedByAWatchThatGoesOnFromTheLastEvent) {
  std::atomic<int> watches = 0;
  const auto server = Serve([&](const HttpRequest&, Connection& connection) {
    if (++watches == 1) {
      SendEvents(connection, EventLine("ADDED", ConfigMapJson("c", "begun", 7)));
      connection.WaitForPeerClose(kApart);
      return GetParam().how(connection);
    }
    SendEvents(connection, EventLine("MODIFIED", ConfigMapJson("c", "done", 8)));
    connection.Stall();
  });
  EXPECT_THAT(RunAt(server->url(), kDone), ExitsWith(0));
  EXPECT_EQ(watches, 2);
  // A reset may have destroyed the event before it was read.
  const std::string from(server->requests().back().Query("resourceVersion"));
  EXPECT_TRUE(from == "7" || from == "1") << from;
}

INSTANTIATE_TEST_SUITE_P(
    By, WatchEnds,
    testing::Values(End{"CleanEnd", [](Connection& connection) { connection.EndChunked(); }},
                    End{"Close", [](Connection& connection) { connection.Close(); }},
                    End{"Silence", [](Connection& connection) { connection.CloseWithoutNotify(); }},
                    End{"Reset", [](Connection& connection) { connection.Reset(); }}),
    testing::PrintToStringParamName());

// Within 2 s of 100 ms, doubling: some six attempts; a spin would make hundreds.
TEST_F(WatchFaults, DoNotMakeItSpinWhenEachWatchEndsAtOnce) {
  const auto server = Serve([](const HttpRequest&, Connection& connection) {
    connection.StartChunked(200, "application/json");
    connection.EndChunked();
  });
  EXPECT_THAT(RunAt(server->url(), kDoneSoon), ExitsWith(1));
  EXPECT_GE(CountWatches(server->requests()), 2U);
  EXPECT_LE(CountWatches(server->requests()), 20U);
}

TEST_F(WatchFaults, DoNotMakeItSpinWhenEachWatchEndsAfterAnEvent) {
  const auto server = Serve([](const HttpRequest&, Connection& connection) {
    SendEvents(connection, EventLine("ADDED", ConfigMapJson("c", "begun", 7)));
    connection.EndChunked();
  });
  EXPECT_THAT(RunAt(server->url(), kDoneSoon), ExitsWith(1));
  EXPECT_GE(CountWatches(server->requests()), 2U);
  EXPECT_LE(CountWatches(server->requests()), 20U);
}

TEST_F(WatchFaults, DoNotMakeItSpinWhenEachWatchSaysGoneAfterAnEvent) {
  const auto server = Serve([](const HttpRequest&, Connection& connection) {
    SendEvents(connection,
               EventLine("ADDED", ConfigMapJson("c", "begun", 7)) +
                   EventLine("ERROR", R"({"kind":"Status","code":410,"message":"too old"})"));
    connection.EndChunked();
  });
  EXPECT_THAT(RunAt(server->url(), kDoneSoon), ExitsWith(1));
  EXPECT_LE(server->counts().requests, 40U);
}

TEST_F(WatchFaults, DoNotMakeItSpinWhenConnectionsAreRefused) {
  const auto server = ServeAll([](const HttpRequest&, Connection&) {}, Mode::kRefuse);
  const Outcome outcome = RunAt(server->url(), kDoneSoon);
  EXPECT_THAT(outcome, ExitsWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("Connection refused"));
  EXPECT_LE(Lines(outcome.err).size(), 2U) << "said once: " << outcome.err;
  EXPECT_LT(outcome.user_cpu, 20s);
}

// --- silence: the command's own timeout always holds ---

TEST_F(WatchFaults, EndByTheTimeoutWhenTheTlsHandshakeStalls) {
  const auto server = ServeAll([](const HttpRequest&, Connection&) {}, Mode::kSilent);
  ExpectTimeout(*server, "no answer");
}

TEST_F(WatchFaults, EndByTheTimeoutWhenTheAnswerStalls) {
  const auto server =
      ServeAll([](const HttpRequest&, Connection& connection) { connection.Stall(); });
  ExpectTimeout(*server, "no answer");
}

TEST_F(WatchFaults, EndByTheTimeoutWhenTheHeadersStall) {
  const auto server = ServeAll([](const HttpRequest&, Connection& connection) {
    connection.Send("HTTP/1.1 200 OK\r\nContent-Ty");
    connection.Stall();
  });
  ExpectTimeout(*server, "no answer");
}

TEST_F(WatchFaults, EndByTheTimeoutWhenTheWatchStalls) {
  const auto server = Serve([](const HttpRequest&, Connection& connection) {
    SendEvents(connection, EventLine("ADDED", ConfigMapJson("c", "begun")).substr(0, 30));
    connection.Stall();
  });
  ExpectTimeout(*server, "not found yet");
}

TEST_F(WatchFaults, AreTriedAgainWhenTheListStallsPastTheRequestTimeout) {
  std::atomic<int> requests = 0;
  const auto list = EmptyListThen([](const HttpRequest&, Connection& connection) {
    SendEvents(connection, Events("c"));
    connection.Stall();
  });
  const auto server = ServeAll([&](const HttpRequest& request, Connection& connection) {
    if (++requests == 1) return connection.Stall();
    list(request, connection);
  });
  Args arguments = kDone;
  arguments.push_back("--request-timeout=1s");
  const Outcome outcome = RunAt(server->url(), arguments);
  EXPECT_THAT(outcome, ExitsWith(0));
  // Both bounds are the same second here: whichever timer is first has its own words.
  EXPECT_THAT(outcome.err,
              AnyOf(HasSubstr("did not answer within 1s"), HasSubstr("no answer from")));
}

TEST_F(WatchFaults, AreTriedAgainWhenTheAnswerStallsWithinItsHeaders) {
  std::atomic<int> watches = 0;
  const auto server = Serve([&](const HttpRequest&, Connection& connection) {
    if (++watches == 1) {
      connection.Send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n");
      return connection.Stall();
    }
    SendEvents(connection, Events("c"));
    connection.Stall();
  });
  Args arguments = kDone;
  arguments.push_back("--request-timeout=1s");
  EXPECT_THAT(RunAt(server->url(), arguments), ExitsWith(0));
}

// --- the server's other answers ---

TEST_F(WatchFaults, EndWellWhenTheServerComesUpLate) {
  api().Put(CertificateJson("web", kReady));
  api().server().SetMode(Mode::kRefuse);
  const auto run = Start({"certificate/web"});
  ASSERT_TRUE(run->WaitForStderr("Connection refused", kHang)) << run->Err();
  api().server().SetMode(Mode::kServe);
  EXPECT_THAT(run->Wait(kHang), ExitsWith(0));
}

TEST_F(WatchFaults, EndWellWhenTheServerGoesAwayInMidWatchAndComesBack) {
  api().Put(CertificateJson("web", kNotReady));
  const auto run = Start({"certificate/web"});
  ASSERT_TRUE(api().WaitForOpenWatches(1, kHang));
  api().server().SetMode(Mode::kRefuse);
  api().server().DropConnections();
  ASSERT_TRUE(run->WaitForStderr("Connection refused", kHang)) << run->Err();
  api().PatchStatus(kWeb, kReady);
  api().server().SetMode(Mode::kServe);
  EXPECT_THAT(run->Wait(kHang), ExitsWith(0));
}

TEST_F(WatchFaults, ListAnewAfterHttp410) {
  api().Put(CertificateJson("web", kNotReady));
  api().InjectFault(IsWatch, [this](const HttpRequest&, Connection& connection) {
    api().PatchStatus(kWeb, kReady);
    SendStatus(connection, Expired("too old resource version"));
  });
  EXPECT_THAT(Run({"certificate/web"}), ExitsWith(0));
}

TEST_F(WatchFaults, ListAnewAfterAnErrorEvent410) {
  api().Put(CertificateJson("web", kNotReady));
  api().InjectFault(IsWatch, [this](const HttpRequest&, Connection& connection) {
    api().PatchStatus(kWeb, kReady);
    SendEvents(connection, EventLine("ERROR", Expired("too old").status.Dump()));
    connection.Stall();
  });
  EXPECT_THAT(Run({"certificate/web"}), ExitsWith(0));
}

TEST_F(WatchFaults, ListAnewWhenTheHistoryWasCompactedMeanwhile) {
  api().Put(CertificateJson("web", kNotReady));
  const auto run = Start({"certificate/web"});
  ASSERT_TRUE(api().WaitForOpenWatches(1, kHang));
  api().server().SetMode(Mode::kRefuse);
  api().server().DropConnections();
  api().PatchStatus(kWeb, kReady);
  api().CompactHistory();
  api().server().SetMode(Mode::kServe);
  EXPECT_THAT(run->Wait(kHang), ExitsWith(0));
}

TEST_F(WatchFaults, WaitAsLongAsRetryAfterAsks) {
  api().Put(CertificateJson("web", kReady));
  const auto always = [](const HttpRequest&) { return true; };
  const auto busy = [](const HttpRequest&, Connection& connection) {
    SendStatus(connection, MakeError(429, "TooManyRequests", "the server is busy"),
               {{"Retry-After", "3600"}});
  };
  api().InjectFault(always, busy, -1);
  const Outcome outcome = Run({"certificate/web", "--timeout=2s"});
  EXPECT_THAT(outcome, ExitsWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("HTTP 429: the server is busy"));
  EXPECT_EQ(api().requests().size(), 1U) << "a second request before its time";
}

TEST_F(WatchFaults, EndWellAfter429And500And503) {
  api().Put(CertificateJson("web", kReady));
  const auto always = [](const HttpRequest&) { return true; };
  for (const int code : {429, 500, 503}) {
    api().InjectFault(always, [code](const HttpRequest&, Connection& connection) {
      SendStatus(connection, MakeError(code, "Busy", "not now"), {{"Retry-After", "1"}});
    });
  }
  const Outcome outcome = Run({"certificate/web"});
  EXPECT_THAT(outcome, ExitsWith(0));
  for (const char* code : {"HTTP 429", "HTTP 500", "HTTP 503"}) {
    EXPECT_THAT(outcome.err, HasSubstr(code));
  }
}

TEST_F(WatchFaults, NeverBelieveALoginPageIn200) {
  const auto server = ServeAll([](const HttpRequest&, Connection& connection) {
    connection.SendResponse(200, {{"Content-Type", "text/html"}}, "<html>Please log in</html>");
  });
  ExpectTimeout(*server, "JSON");
}

TEST_F(WatchFaults, FollowNoRedirect) {
  const auto other = ServeAll(
      [](const HttpRequest&, Connection& connection) { connection.SendResponse(200, {}, "{}"); });
  const auto server = ServeAll([&](const HttpRequest& request, Connection& connection) {
    connection.SendResponse(302, {{"Location", other->url() + request.target}}, "");
  });
  const Outcome outcome = RunAt(server->url(), kDone);
  EXPECT_THAT(outcome, ExitsWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("HTTP 302"));
  EXPECT_EQ(other->counts().accepted, 0U) << "the token may have gone elsewhere";
}

TEST_F(WatchFaults, EndByTheTimeoutAtAServerThatSpeaksNoTls) {
  const auto server = ServeAll([](const HttpRequest&, Connection&) {}, Mode::kGarbage);
  ExpectTimeout(*server, "failed");
}

}  // namespace
}  // namespace certlatch::test
