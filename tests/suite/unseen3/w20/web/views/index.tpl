<ul>
% for name in names:
<li><a href="/kind/{{name}}">{{name}}</a></li>
% end
</ul>
