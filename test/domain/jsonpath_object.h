// The object that the rows of jsonpath_test and wait_jsonpath_test were measured on.
#pragma once

namespace certlatch {

constexpr const char* kJsonPathObject = R"j({"apiVersion":"v1","kind":"ConfigMap",
"metadata":{"name":"x","generation":7,"annotations":{"kubetemplater.io/cert-hash":"h1"},"labels":{"q":"r","app":"web","app.kubernetes.io/name":"n"}},
"list":[{"kind":"A","name":"a1","n":1,"ready":true,"tags":["x","y"],"meta":{"z":"q","color":"blue"}},
{"kind":"B","name":"b2","n":2,"ready":false,"tags":["z"],"meta":{"z":"r"}},
{"kind":"A","name":"c3","n":3,"f":1.5,"tags":[],"ready":true}],
"nums":[0,1,2,3,4,5],"floats":[1.0,2.50,1e3,1e6,123456.7,1234567.5,100000.0,1000000.0,12345678.0,0.0001,0.00001,1.5e-7,1e20,
1e21,1e22,-0.0,-0,12345678901234567890,9223372036854775807],
"esc":{"s":"<a>&'\"\\\n\t\r\b\f\u0001\u007f\u2028é","e":[]," ":null},"t":true,"null":null,"empty":{},"str":"hello","estr":"","nested":{"a":{"b":{"c":[[1,2],[3,4]]}}},
"nulls":[null,1,null],"":"emptykey",
"conditions":[{"type":"Ready","status":"True"},{"type":"Issuing","status":"False","message":"it's \"so\""}],"mixed":[1,"1",true,1.0,null,{"a":1},[1]],"big":9223372036854775808})j";

}  // namespace certlatch
