#include "test/apps/nginx.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "test/system/certlatch_run.h"

namespace certlatch::test {
namespace {

constexpr char kConfiguration[] = R"(
daemon off;
pid nginx.pid;
error_log stderr notice;
worker_processes 2;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path client_body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  include include/*.conf;
  server {
    listen 127.0.0.1:$port ssl;
    ssl_certificate $volume/tls.crt;
    ssl_certificate_key $volume/tls.key;
    location / { root html; }
    # Answers when all of it is there.
    location /upload { proxy_pass http://unix:$directory/plain.sock; }
  }
  server {
    listen unix:$directory/plain.sock;
    location / { return 200 "taken"; }
  }
}
)";

}  // namespace

Nginx::Nginx(const TlsVolume& volume) {
  Write("nginx.conf", Fill(kConfiguration, {{"$port", std::to_string(port())},
                                            {"$volume", volume.path()},
                                            {"$directory", directory()}}));
  Write("html/index.html", "served");
  Start({"/usr/sbin/nginx", "-p", directory(), "-e", "stderr", "-c", "nginx.conf"});
}

size_t Nginx::Hups() const { return CountOf(process().Err(), "(SIGHUP) received"); }

void Nginx::WriteInclude(std::string_view text) const {
  if (text.empty()) {
    std::filesystem::remove(File("include/more.conf"));
  } else {
    Write("include/more.conf", text);
  }
}

void Nginx::WritePage(std::string_view name, size_t size) const {
  const std::string page = "html/" + std::string(name);
  Write(page, "");
  std::filesystem::resize_file(File(page), size);
}

}  // namespace certlatch::test
