// HttpClientTest gives each test a Loop and an HttpClient on it. Whatever has requests under way
// must go before TearDown.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "platform/http.h"
#include "test/platform/loop_fixture.h"

namespace certlatch {

class HttpClientTest : public EventLoopTest {
 protected:
  void SetUp() override {
    EventLoopTest::SetUp();
    auto http = HttpClient::Create(*loop_);
    ASSERT_TRUE(http) << http.error().text;
    http_ = *std::move(http);
  }
  void TearDown() override {
    http_.reset();
    EventLoopTest::TearDown();
  }

  std::unique_ptr<HttpClient> http_;
};

}  // namespace certlatch
